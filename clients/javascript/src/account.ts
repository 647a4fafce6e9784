/** The account behind the key: usage, keys, and what signs its webhooks. */

import { callOptions, type Service } from './service.js'
import type { RequestOptions } from './transport.js'
import type { Account, DayUsage, Key, KeyMode, NewKey, Usage, WebhookSecret } from './wire.js'

export class Keys {
  constructor (private readonly service: Service) {}

  /** All keys, the oldest first, closed ones too. */
  async list (options: RequestOptions = {}): Promise<Key[]> {
    return (await this.service.json<{ keys: Key[] }>('GET', '/v2/account/keys', callOptions(options))).keys
  }

  /** Make a key. It is shown this once. Not repeated where a connection is lost: there might be two. */
  create (options: RequestOptions & { mode?: KeyMode, label?: string } = {}): Promise<NewKey> {
    const { mode, label } = options
    return this.service.json('POST', '/v2/account/keys', { document: { mode, label }, repeat: 'unsafe', ...callOptions(options) })
  }

  /** Make a key's successor; the old one works for `graceS` seconds more (default: a day). */
  rotate (fingerprint: string, options: RequestOptions & { graceS?: number } = {}): Promise<NewKey> {
    const path = `/v2/account/keys/${encodeURIComponent(fingerprint)}/rotate`
    return this.service.json('POST', path, { document: { grace_s: options.graceS }, repeat: 'unsafe', ...callOptions(options) })
  }

  /** Close a key for good; a key cannot close itself. */
  revoke (fingerprint: string, options: RequestOptions = {}): Promise<Key> {
    return this.service.json('DELETE', `/v2/account/keys/${encodeURIComponent(fingerprint)}`, callOptions(options))
  }
}

export class WebhookSecrets {
  constructor (private readonly service: Service) {}

  /** What `verify` of `cutout-client/webhooks` takes. */
  get (options: RequestOptions = {}): Promise<WebhookSecret> {
    return this.service.json('GET', '/v2/account/webhook-secret', callOptions(options))
  }

  /** Make a new secret; for a day both sign. */
  rotate (options: RequestOptions = {}): Promise<WebhookSecret> {
    return this.service.json('POST', '/v2/account/webhook-secret', { repeat: 'unsafe', ...callOptions(options) })
  }
}

/** Whose the key is, and what was used this month. */
export function account (service: Service, options: RequestOptions = {}): Promise<Account> {
  return service.json('GET', '/v2/account', callOptions(options))
}

/** What was used this month. */
export async function usage (service: Service, options: RequestOptions = {}): Promise<Usage> {
  return (await account(service, options)).usage
}

/** What was used in a month by day and key. */
export async function dailyUsage (
  service: Service, options: RequestOptions & { month?: string } = {},
): Promise<DayUsage[]> {
  const query = options.month === undefined ? '' : `?month=${encodeURIComponent(options.month)}`
  return (await service.json<{ days: DayUsage[] }>('GET', `/v2/account/usage${query}`, callOptions(options))).days
}
