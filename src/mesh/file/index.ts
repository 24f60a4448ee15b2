export { locateMesh } from './locate.js'
export { parseMesh } from './parse.js'
export { readMeshFile } from './read-file.js'
