// The answer that has nothing to say but yes.
import type { Context } from 'koa'

/** 200 without a body, and so without a content type. */
export function answerEmpty(ctx: Context): void {
  ctx.body = null
  // After the body, which would make it 204.
  ctx.status = 200
}
