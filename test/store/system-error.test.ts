import { describe, expect, it } from 'vitest'
import { TOTPError } from '../../src/core/errors.js'
import { errnoOf, explain, translateErrors } from '../../src/store/system-error.js'
import { systemError } from '../support/faulty-fs.js'
import { errorOf } from '../support/store-folder.js'

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
    'ENAMETOOLONG',
    'EMFILE',
    'ENFILE',
  ])('%s is explained with what to do about it, and without its name', (errno) => {
    expect(errnoOf(systemError(errno))).toBe(errno)
    expect(explain(systemError(errno))).toMatch(/^[a-z][^;]+; [a-z][^;]+$/)
    expect(explain(systemError(errno))).not.toContain(errno)
  })

  it('that is unheard of is named', () => {
    expect(explain(systemError('EWEIRD'))).toBe('the system reported EWEIRD; check the disk and try again')
  })

  it.each([new Error('x'), Object.assign(new Error('x'), { code: 5 }), 'EIO', { code: 'EIO' }, undefined])(
    'is not what %o is',
    (error) => {
      expect(errnoOf(error)).toBeUndefined()
      expect(explain(error)).toBe('the system reported an error; check the disk and try again')
    },
  )
})

describe('the boundary between errnos and users', () => {
  const failing = (error: unknown) => (): never => {
    throw error
  }
  const outcomeOf = (error: unknown): unknown =>
    errorOf(() => translateErrors('ERR_FILE_UNWRITABLE', 'cannot write it', failing(error)))

  it('returns what the calls return', () => {
    expect(translateErrors('ERR_FILE_UNWRITABLE', 'cannot write it', () => 7)).toBe(7)
  })

  it('turns an error of the system into one of ours, with its cause', () => {
    const cause = systemError('ENOSPC')
    expect(outcomeOf(cause)).toMatchObject({
      code: 'ERR_FILE_UNWRITABLE',
      message: 'cannot write it: the disk is full; free some space and try again',
      cause,
    })
  })

  it.each([
    new TOTPError('ERR_FILE_EXISTS', 'it already exists; name another'),
    new RangeError('a mistake of ours'),
  ])('lets %s pass unchanged', (error) => {
    expect(outcomeOf(error)).toBe(error)
  })
})
