import { TestRunner } from 'vitest'

/**
 * Runs tests as usual, but where a test file cannot be loaded, that is a test of it that fails: what is evaluated on import
 * would else be changed unnoticed, since a file without tests counts as one where none failed.
 */
export default class extends TestRunner {
  override async importFile(filepath: string, source: 'collect' | 'setup'): Promise<unknown> {
    try {
      return await super.importFile(filepath, source)
    } catch (error) {
      if (source === 'setup') throw error
      TestRunner.getCurrentSuite().test('the file is loaded', () => {
        throw error
      })
      return undefined
    }
  }
}
