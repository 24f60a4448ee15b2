import { parentPort, workerData } from 'node:worker_threads'
import { isTOTPError } from '../core/errors.js'
import { findQr } from './find-qr.js'

/** What the thread that reads an image answers. */
export type Found = { readonly text: string | undefined } | { readonly problem: string }

function find(): Found {
  try {
    return { text: findQr(workerData as Uint8Array) }
  } catch (error) {
    if (!isTOTPError(error)) throw error
    return { problem: error.message }
  }
}

parentPort?.postMessage(find())
