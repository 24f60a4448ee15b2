import { setTimeout as sleep } from 'node:timers/promises'

/** Lets calls go on, or holds them back until none is under way. */
export class Pace {
  #held: Promise<void> | undefined
  #release = (): void => undefined
  #underWay = 0
  #isOver = false

  get isOver(): boolean {
    return this.#isOver
  }

  end(): void {
    this.#isOver = true
    this.#release()
  }

  /** Resolves when calls may go on. */
  async turn(): Promise<void> {
    while (this.#held && !this.#isOver) await this.#held
  }

  /** Runs a short call once calls may go on. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    await this.turn()
    this.#underWay++
    try {
      return await work()
    } finally {
      this.#underWay--
    }
  }

  /** Runs something while no call is under way, or those that remain after a while go on. */
  async quiet<T>(work: () => Promise<T>, withinMs = 5000): Promise<T> {
    this.#held = new Promise((done) => (this.#release = done))
    const late = Date.now() + withinMs
    while (this.#underWay > 0 && Date.now() < late) await sleep(20)
    try {
      return await work()
    } finally {
      this.#held = undefined
      this.#release()
    }
  }
}
