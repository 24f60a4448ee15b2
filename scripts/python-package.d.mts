import type { Plugin } from 'vite'

export declare const vitePythonPackage: Plugin
