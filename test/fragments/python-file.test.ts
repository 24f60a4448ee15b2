import { describe, expect, it } from 'vitest'
import { pythonFile } from '../../src/fragments/python-file/file.js'

const about = 'What it is.'
const head = '"""A module."""\n\nfrom __future__ import annotations\n\n'

const sources = {
  'shop/till.py': `"""Where one pays.

More of it.
"""

from __future__ import annotations

import os
from collections.abc import (
    Callable,
)
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from httpx import Request

    from a2a_totp.shop.clerk import Clerk
from a2a_totp.money import (
    CENT,
    coin,
)

__all__ = ["pay"]


def pay(clerk: Clerk, by: Callable[[Any], Request]) -> int:
    """Usage:

    from a2a_totp.shop import pay
    """
    from a2a_totp.shop.clerk import greet

    greet(os.name, grpc)
    return coin(CENT)
`,
  'shop/clerk.py': `${head}from collections.abc import Mapping\n\nCLERKS: Mapping[str, int] = {}\n\n\nclass Clerk:\n    """One."""\n\n\ndef greet(*_: object) -> None:\n    """Greets."""\n`,
  'money.py': `${head}import os\n\nCENT = len(os.sep)\nTEXT = """\nCENT = "no definition"\nclass Nor: this\n"""\n\n\ndef coin(value: int) -> int:\n    """One."""\n    return value\n`,
  'unused.py': `${head}import redis\n\nCENT = redis\n`,
}

describe('one file of several modules', () => {
  const text = pythonFile(sources, { about, modules: /^shop\.till$/ })

  it('begins with a docstring and all imports, sorted, each name once', () => {
    expect(text.slice(0, text.indexOf('# money'))).toBe(`"""What it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from httpx import Request

`)
  })

  it('has what is needed when a module is loaded before it, and the rest behind it', () => {
    expect([...text.matchAll(/^# (\S+) -+$/gm)].map(([, name]) => name)).toEqual([
      'money',
      'shop.till',
      'shop.clerk',
    ])
    expect(text).not.toContain('redis')
  })

  it('has no import of the package left, except in texts', () => {
    expect([...text.matchAll(/a2a_totp.*/g)].map(([line]) => line)).toEqual(['a2a_totp.shop import pay'])
    expect(text).toContain('    """\n    greet(os.name, grpc)\n')
  })

  it('refuses a name that two modules define, one that none defines, and a module that is missing', () => {
    const all = { about, modules: /^(shop\..*|unused)$/ }
    expect(() => pythonFile(sources, all)).toThrow('CENT is defined in money and in unused')
    const needy = { ...sources, 'needy.py': `${head}from a2a_totp.money import note\n\nprint(note)\n` }
    expect(() => pythonFile(needy, { about, modules: /^needy$/ })).toThrow(
      '0 modules of the package define note',
    )
    expect(() => pythonFile(sources, { about, modules: /^none$/ })).toThrow(
      'the package has no module like ^none$',
    )
    const whole = { ...sources, 'whole.py': `${head}import a2a_totp.money\n\nprint(a2a_totp)\n` }
    expect(() => pythonFile(whole, { about, modules: /^whole$/ })).toThrow('import names from a2a_totp.money')
  })

  it('renames a class for the one module that has a class of that name itself', () => {
    const named = {
      ...sources,
      'bank.py': `${head}from a2a_totp.shop.clerk import Clerk as Other\n\n\nclass Clerk:\n    """Has another."""\n\n    other: Other\n`,
    }
    const renamed = pythonFile(named, { about, modules: /^bank$/, renames: { Clerk: 'Staff' } })
    expect(renamed).toContain('class Staff:\n')
    expect(renamed).toContain('class Clerk:\n    """Has another."""\n\n    other: Staff\n')
    expect(() => pythonFile(named, { about, modules: /^bank$/ })).toThrow('Clerk is defined in')
  })
})
