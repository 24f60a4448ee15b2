import { ListTasksRequest, Task, TaskState } from '@a2a-js/sdk'
import { ServerCallContext } from '@a2a-js/sdk/server'
import { describe, expect, it } from 'vitest'
import { RecentTasks } from '../../src/demo/recent-tasks.js'

const as = (userName: string): ServerCallContext =>
  new ServerCallContext({ user: { userName, isAuthenticated: true } })

const taskOf = (id: string): Task =>
  Task.fromJSON({
    ...{ id, contextId: 'c1' },
    status: { state: 'TASK_STATE_COMPLETED', timestamp: '2026-01-01T00:00:00.000Z' },
  })

const idsOf = async (tasks: RecentTasks, owner: string): Promise<string[]> => {
  const request = ListTasksRequest.fromJSON({ pageSize: 100 })
  return (await tasks.list(request, as(owner))).tasks.map(({ id }) => id).sort()
}

describe('the tasks of the demo', () => {
  it('are their caller’s own', async () => {
    const tasks = new RecentTasks()
    await tasks.save(taskOf('t1'), as('alice'))
    expect((await tasks.load('t1', as('alice')))?.status?.state).toBe(TaskState.TASK_STATE_COMPLETED)
    expect(await tasks.load('t1', as('bob'))).toBeUndefined()
    expect(await idsOf(tasks, 'alice')).toEqual(['t1'])
    expect(await idsOf(tasks, 'bob')).toEqual([])
  })

  it('are the newest ones alone, whoever they belong to', async () => {
    const tasks = new RecentTasks(3)
    for (const id of ['t1', 't2', 't3']) await tasks.save(taskOf(id), as('alice'))
    await tasks.save(taskOf('t3'), as('alice'))
    await tasks.save(taskOf('t4'), as('bob'))
    expect(await tasks.load('t1', as('alice'))).toBeUndefined()
    expect(await idsOf(tasks, 'alice')).toEqual(['t2', 't3'])
    expect(await idsOf(tasks, 'bob')).toEqual(['t4'])
  })

  it('do not change with what was saved or loaded', async () => {
    const tasks = new RecentTasks()
    const task = taskOf('t1')
    await tasks.save(task, as('alice'))
    task.contextId = 'another'
    const loaded = await tasks.load('t1', as('alice'))
    expect(loaded?.contextId).toBe('c1')
    if (loaded) loaded.contextId = 'another'
    expect((await tasks.load('t1', as('alice')))?.contextId).toBe('c1')
  })
})
