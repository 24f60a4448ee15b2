/** Whether the words of an answer are about credentials. */
export function soundsLikeRefusal(said: string): boolean {
  return /unauth|authent|authoriz|forbidden|denied|credential|bearer|token|totp|otp\b|second factor/i.test(
    said,
  )
}

/** Whether the words of an answer are about the second factor: nobody who was let in is told so. */
export function namesSecondFactor(said: string): boolean {
  return /\b(totp|x-totp|otp|one[- ]time|second[- ]factor|two[- ]factor|2fa|mfa)\b/i.test(said)
}

/** Whether the words of an answer are that a task is missing, whatever else they hint at. */
export function saysTaskIsMissing(said: string): boolean {
  return (
    /\btasks?(\b|_?not_?found)/i.test(said) &&
    /not[- _]?found|no such|\bno tasks?\b|unknown|missing|does ?n[o']t exist|not exist|(not|n't) find/i.test(
      said,
    ) &&
    !namesSecondFactor(said)
  )
}
