/** A quota card, redeemed by the holder of the key that it is for. */
import { written } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { parseCode, type Redemption } from "../domain/quota-card.ts";
import { parseAuditKeys } from "../storage/audit-hash.ts";
import { withEntry } from "../storage/audit.ts";
import { findCardByHash } from "../storage/cards.ts";
import { hashKey } from "../storage/hash.ts";
import { redeemCard, type Cashier } from "../storage/redeem.ts";
import { countGuess, type Holder } from "./holder.ts";

async function cashierOf({ key, ports, snapshots }: Holder): Promise<Cashier> {
  const { env } = ports;
  const log = { db: env.DB, keys: await parseAuditKeys(env.ENCRYPTION_KEYS) };
  const now = ports.now();
  const actor = { id: null, name: `holder of ${key.name}` };
  return {
    now,
    reach: {
      db: env.DB,
      snapshots,
      configure: (config) => ports.keyObject(config.id).configure(config),
    },
    statusOf: (id) => ports.keyObject(id).status(),
    commit: (target, change) =>
      withEntry(log, { at: now, actor, action: "card.redeem", target, ...written(change) }),
  };
}

const view = ({
  cost,
  time,
  costBefore,
  costAfter,
  expiresBefore,
  expiresAfter,
  redeemedAt,
}: Redemption) => ({
  cost,
  time,
  costBefore,
  costAfter,
  expiresBefore,
  expiresAfter,
  redeemedAt,
});

/** A key that has ended may have time added; one that was switched off may have nothing. */
export async function redeem(holder: Holder, text: string) {
  if (!holder.config.enabled || holder.config.suspended)
    throw new RelayError("permission_denied", "This key is disabled.");
  const forgive = await countGuess(holder);
  const code = parseCode(text);
  if (code === null) throw new RelayError("not_found", "There is no such card.");
  const hash = await hashKey(code);
  const cashier = await cashierOf(holder);
  const find = () => findCardByHash(holder.ports.env.DB, hash, cashier.now);
  const redemption = await redeemCard({ find, keyId: holder.key.id, by: "holder" }, cashier);
  await forgive();
  return view(redemption);
}
