// SPDX-License-Identifier: PostgreSQL
// Claim: node-postgres, which leaves the types of its parameters open, appends, reads on from a cursor, keeps positions
// in a table of its own, and gets events.
'use strict';
const { Client } = require('pg');
const { isDeepStrictEqual } = require('util');

let failed = 0;
function same(claim, got, wanted) {
    const good = isDeepStrictEqual(got, wanted);
    console.log(`${good ? 'ok' : 'not ok'} - ${claim}`);
    if (!good) {
        failed++;
        console.log(`# got: ${JSON.stringify(got)}\n# wanted: ${JSON.stringify(wanted)}`);
    }
}

async function main() {
    const db = new Client();
    await db.connect();
    const rows = async (text, ...values) => (await db.query({ text, values, rowMode: 'array' })).rows;
    const one = async (text, ...values) => (await rows(text, ...values))[0][0];

    const first = await one('SELECT weir.append($1, $2)', 's', { n: 1 });
    await one('SELECT weir.append($1, $2)', 's', JSON.stringify({ n: 2 }));
    await one('SELECT weir.append_text($1, $2)', 's', 'three');
    await one('SELECT weir.append_bytes($1, $2)', 's', Buffer.from([0, 255]));
    same('reads on from a cursor', await rows('SELECT payload FROM weir.read($1, after => $2)', 's', first),
         [[{ n: 2 }], ['three'], [null]]);
    same('a batch of strings is JSON',
         await one('SELECT frames FROM weir.append_batch($1, $2)', 'b', ['{"n": 1}', '[2]']), 2);
    same('or text', await one('SELECT frames FROM weir.append_text_batch($1, $2)', 'b', ['{', '2']), 2);
    same('or bytes',
         await one('SELECT frames FROM weir.append_bytes_batch($1, $2)', 'b', [Buffer.from([0]), Buffer.from('2')]), 2);
    same('and is read back',
         await rows("SELECT payload FROM weir.read('b')"), [[{ n: 1 }], [[2]], ['{'], ['2'], [null], [null]]);

    for (const p of ['10-0', '10-1', '11-0'])
        await db.query('INSERT INTO mine VALUES ($1, $2)', [p, 'note ' + p]);
    same('=', await rows('SELECT note FROM mine WHERE id = $1', '10-1'), [['note 10-1']]);
    same('<', await one('SELECT count(*)::int FROM mine WHERE id < $1', '11-0'), 2);
    same('IN', await one('SELECT count(*)::int FROM mine WHERE id IN ($1, $2)', '10-0', '11-0'), 2);
    same('= ANY of a list', await one('SELECT count(*)::int FROM mine WHERE id = ANY ($1)', ['10-0', '11-0']), 2);
    same('BETWEEN', await one('SELECT count(*)::int FROM mine WHERE id BETWEEN $1 AND $2', '10-0', '10-9'), 2);
    same('IS DISTINCT FROM', await one('SELECT count(*)::int FROM mine WHERE id IS DISTINCT FROM $1', '10-0'), 2);
    same('NULLIF', await one('SELECT NULLIF(id, $1) FROM mine ORDER BY id LIMIT 1', '10-0'), null);
    same('max', await one('SELECT max(id) FROM mine'), '11-0');
    same('lists of cursors',
         await one('SELECT count(*)::int FROM weir.read_many($1, after => $2)', ['s', 'b'], [first, '-']), 9);

    // The driver itself reads results as text.
    const bytes = await one('SELECT weir.position_send(max(id)) FROM mine');
    same('the binary form is eight bytes', bytes.readBigInt64BE(), 11n << 20n);
    same('which a cast takes back',
         await one('SELECT note FROM mine WHERE id = $1::bytea::weir.position', bytes), 'note 11-0');
    const refused = await one('SELECT count(*) FROM mine WHERE id = $1', 'nonsense').catch(e => e.code);
    same('what names no position is refused', refused, '22P02');

    await db.query('SELECT weir.emit(stream => $1, type => $2, payload => $3)', ['events', 'made', { a: 1 }]);
    await db.query('BEGIN');
    same('emit and fetch', await rows('SELECT type, payload FROM weir.fetch($1)', 'sub'), [['made', { a: 1 }]]);
    await db.query('SELECT weir.ack($1)', ['sub']);
    await db.query('COMMIT');
    same('acknowledged', await rows('SELECT type FROM weir.fetch($1)', 'sub'), []);
    await db.end();
}

main().then(() => process.exit(failed > 0 ? 1 : 0), e => { console.error(e); process.exit(1); });
