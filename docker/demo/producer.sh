# The demo's application: adds the same writes every 10 s, each time under new keys, until it is stopped.
trap 'exit 0' TERM INT
while true; do
  waybill enqueue sms -o table < /demo/writes.ndjson
  sleep 10 &
  wait $!
done
