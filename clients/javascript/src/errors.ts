/**
 * What a call can end with besides a result. Every error is a `CutoutError` with a stable `code`; those that the
 * service answered are `ApiError`s, one class per code of its contract.
 */

/** What is known of an error beyond its message. */
export interface ErrorFacts {
  /** The HTTP status of the answer. */
  status?: number | undefined
  /** Names the request in the service's logs. */
  requestId?: string | undefined
  /** What the service says besides, for instance the option that it refused. */
  details?: Record<string, unknown> | undefined
  /** For how long the service asks not to be asked again, in milliseconds. */
  retryAfterMs?: number | undefined
  cause?: unknown
}

/** The parent of all errors of this package. */
export class CutoutError extends Error {
  /** Stable, for programs; class names may be shortened by bundlers. */
  readonly code: string
  readonly status: number | undefined
  readonly requestId: string | undefined
  readonly details: Record<string, unknown>
  readonly retryAfterMs: number | undefined

  constructor (code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = new.target.name
    this.code = code
    this.status = facts.status
    this.requestId = facts.requestId
    this.details = facts.details ?? {}
    this.retryAfterMs = facts.retryAfterMs
  }
}

/** The service refused or failed; a code that this version does not know is an `ApiError` itself. */
export class ApiError extends CutoutError {}

export class InvalidRequestError extends ApiError {}
export class MissingImageError extends ApiError {}
export class MultipleSourcesError extends ApiError {}
export class InvalidBase64Error extends ApiError {}
export class InvalidImageError extends ApiError {}
export class UnsupportedImageFormatError extends ApiError {}
export class NothingFoundError extends ApiError {}
export class InvalidOptionError extends ApiError {}
export class ImageUrlFetchFailedError extends ApiError {}
export class ImageTooLargeError extends ApiError {}
export class ResolutionTooHighError extends ApiError {}
export class AnimationTooLargeError extends ApiError {}
export class UnsupportedMediaTypeError extends ApiError {}
export class MissingApiKeyError extends ApiError {}
export class InvalidApiKeyError extends ApiError {}
export class ForbiddenError extends ApiError {}
export class AccountSuspendedError extends ApiError {}
export class RateLimitedError extends ApiError {}
export class QuotaExceededError extends ApiError {}
export class NotFoundError extends ApiError {}
export class MethodNotAllowedError extends ApiError {}
export class ConflictError extends ApiError {}
export class JobRunningError extends ApiError {}
export class JobEndedError extends ApiError {}
export class GoneError extends ApiError {}
export class ProcessingFailedError extends ApiError {}
export class IdempotencyMismatchError extends ApiError {}
export class InternalError extends ApiError {}
export class ServiceUnavailableError extends ApiError {}
/** The service ran out of its own time (504). What ran out of yours is a `RequestTimeoutError`. */
export class TimeoutError extends ApiError {}

/** The codes of the service's contract (docs/openapi.yaml, `Problem`), each with its class. */
export const ERRORS = {
  invalid_request: InvalidRequestError,
  missing_image: MissingImageError,
  multiple_sources: MultipleSourcesError,
  invalid_base64: InvalidBase64Error,
  invalid_image: InvalidImageError,
  unsupported_image_format: UnsupportedImageFormatError,
  nothing_found: NothingFoundError,
  invalid_option: InvalidOptionError,
  image_url_fetch_failed: ImageUrlFetchFailedError,
  image_too_large: ImageTooLargeError,
  resolution_too_high: ResolutionTooHighError,
  animation_too_large: AnimationTooLargeError,
  unsupported_media_type: UnsupportedMediaTypeError,
  missing_api_key: MissingApiKeyError,
  invalid_api_key: InvalidApiKeyError,
  forbidden: ForbiddenError,
  account_suspended: AccountSuspendedError,
  rate_limited: RateLimitedError,
  quota_exceeded: QuotaExceededError,
  not_found: NotFoundError,
  method_not_allowed: MethodNotAllowedError,
  conflict: ConflictError,
  job_running: JobRunningError,
  job_ended: JobEndedError,
  gone: GoneError,
  processing_failed: ProcessingFailedError,
  idempotency_mismatch: IdempotencyMismatchError,
  internal_error: InternalError,
  service_unavailable: ServiceUnavailableError,
  timeout: TimeoutError,
} as const satisfies Record<string, typeof ApiError>

/** A code of the service's contract. */
export type ErrorCode = keyof typeof ERRORS

/** The error that a code stands for. */
export function apiError (code: string, message: string, facts: ErrorFacts = {}): ApiError {
  const known = Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : ApiError
  return new known(code, message, facts)
}

/** No answer, or half of one: the connection could not be made, or was lost. */
export class ConnectionError extends CutoutError {
  constructor (message: string, facts: ErrorFacts = {}) { super('connection_failed', message, facts) }
}

/** An attempt took longer than `timeoutMs`. */
export class RequestTimeoutError extends CutoutError {
  constructor (message: string, facts: ErrorFacts = {}) { super('request_timeout', message, facts) }
}

/** An answer that the contract does not know: a proxy's page, JSON that is none, an image that is none. */
export class MalformedAnswerError extends CutoutError {
  constructor (message: string, facts: ErrorFacts = {}) { super('malformed_answer', message, facts) }
}

/** The storage refused an upload: too large, no image, or a form that has expired. */
export class UploadRefusedError extends CutoutError {
  constructor (message: string, facts: ErrorFacts = {}) { super('upload_refused', message, facts) }
}

/** A job failed. `code` says why, by the codes of the contract or `superseded`. */
export class JobFailedError extends CutoutError {}

/** The answer holds no mask: it was flattened, or shadow, stroke or background changed its transparency. */
export class MaskUnavailableError extends CutoutError {
  constructor (message: string) { super('mask_unavailable', message) }
}

/** This runtime has no canvas, which the mask-first mode draws on. */
export class CanvasUnavailableError extends CutoutError {
  constructor (message: string) { super('canvas_unavailable', message) }
}

/** This runtime has no files. */
export class FilesUnavailableError extends CutoutError {
  constructor (message: string, cause?: unknown) { super('files_unavailable', message, { cause }) }
}
