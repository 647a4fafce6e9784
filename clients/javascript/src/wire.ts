/** JSON as the service sends it. Names are those of the API reference, so that answers and webhooks look the same. */

export type JobStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** A presigned POST: all fields first, the image as `file` last. */
export interface UploadForm {
  url: string
  fields: Record<string, string>
  expires_at: string
  max_bytes: number
}

export interface JobResult {
  url: string
  mask_url?: string
  url_expires_at: string
  media_type: string
  width: number
  height: number
  source_width: number
  source_height: number
  frames: number
  bytes: number
  model: string
  stages_ms: Record<string, number>
}

export interface Job {
  id: string
  status: JobStatus
  created_at: string
  started_at: string | null
  finished_at: string | null
  expires_at: string
  deleted_at?: string
  attempts: number
  options: Record<string, unknown>
  source: { kind: 'upload' | 'url' | 'object' | 'request', url?: string, key?: string }
  webhook_url?: string
  upload?: UploadForm
  result?: JobResult
  error?: { code: string, message: string, details: Record<string, unknown> }
}

export interface JobPage { jobs: Job[], next_cursor: string | null }

/** What was made in a calendar month (UTC). */
export interface Usage {
  period: string
  images: number
  megapixels: number
  /** Images a month; null: no bound. */
  quota: number | null
  remaining: number | null
}

/** What one key used on one day (UTC); `key` is a fingerprint, `none` for requests without a key, null for images of the uploads bucket. */
export interface DayUsage {
  day: string
  key: string | null
  images: number
  megapixels: number
}

export interface Account {
  status: 'ok'
  api_key: { valid: true, mode: KeyMode, fingerprint: string }
  account: { email: string, plan: string, subscription_status: string, billing_model: string, usage_unit: string, training_opt_in: boolean }
  usage: Usage
}

export type KeyMode = 'live' | 'admin' | 'synthetic'

export interface Key {
  /** Names the key without revealing it. */
  fingerprint: string
  mode: KeyMode
  label: string
  status: 'active' | 'expired' | 'revoked'
  created_at: string
  last_used_day: string | null
  valid_until: string | null
}

/** `key` is shown this once. */
export interface NewKey extends Key { key: string, replaces?: Key }

export interface WebhookSecret { secret: string, created_at: string, previous_valid_until: string | null }

export interface Health { status: 'ok', service: 'cutout', version: string, model?: string }

/** What is posted to a `webhook_url`. */
export interface WebhookEvent {
  /** The same at every delivery. */
  id: string
  type: 'job.succeeded' | 'job.failed'
  created_at: string
  data: Job
}
