/** Labels of the requests for a task of another peer, by which the judge distinguishes them. */
export const isolationLabels = {
  message: 'a message of the peer',
  own: 'the peer reads its task',
  get: 'another peer reads it',
  list: 'another peer lists its tasks',
  subscribe: 'another peer subscribes to it',
  subscribePost: 'another peer subscribes to it by POST',
  cancel: 'another peer cancels it',
  itself: 'the peer itself',
  stranger: 'another peer asks for a task that nobody has',
} as const
