// node-postgres, and what belongs to every measurement on PostgreSQL: statistics as autovacuum would have made them by
// and by, since without them some plans are a tenth as fast just after a bulk insert.
import { peer } from './peer.ts';

interface Client {
  connect(): Promise<void>;
  query(sql: string): Promise<{ rows: Record<string, unknown>[] }>;
  end(): Promise<void>;
}

export interface Pg {
  Client: new (options: { connectionString: string }) => Client;
}

export async function vacuum(url: string): Promise<void> {
  const { Client } = peer('pg') as Pg;
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('VACUUM ANALYZE');
  await client.end();
}
