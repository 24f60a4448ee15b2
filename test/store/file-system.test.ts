import { describe, expect, it } from 'vitest'
import { errnoOf, explain } from '../../src/store/file-system.js'
import { systemError } from '../support/faulty-fs.js'

describe('a failed system call', () => {
  it.each([
    'EACCES',
    'EPERM',
    'ENOSPC',
    'EDQUOT',
    'EROFS',
    'EBUSY',
    'EIO',
    'ENOENT',
    'ENOTDIR',
    'EISDIR',
    'ELOOP',
    'EMFILE',
    'ENFILE',
  ])('%s is explained with what to do about it, and without its name', (errno) => {
    expect(errnoOf(systemError(errno))).toBe(errno)
    expect(explain(systemError(errno))).toMatch(/^[a-z][^;]+; [a-z][^;]+$/)
    expect(explain(systemError(errno))).not.toContain(errno)
  })

  it('that is unheard of is named', () => {
    expect(explain(systemError('EWEIRD'))).toBe('the system answered EWEIRD; check the disk and try again')
  })

  it.each([new Error('x'), Object.assign(new Error('x'), { code: 5 }), 'EIO', { code: 'EIO' }, undefined])(
    'is not what %o is',
    (error) => {
      expect(errnoOf(error)).toBeUndefined()
      expect(explain(error)).toBe('the system answered with an error; check the disk and try again')
    },
  )
})
