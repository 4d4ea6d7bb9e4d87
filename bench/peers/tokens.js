'use strict';

// A key of its own and access tokens signed with it, as Souk's user service would issue them; and tokens that nobody may accept.
//
//     node tokens.js ISSUER AUDIENCE COUNT

const crypto = require('node:crypto');

const [issuer, audience, count] = process.argv.slice(2);
const lifetimeSeconds = 12 * 3600;
const now = Math.floor(Date.now() / 1000);
const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const kid = crypto.randomUUID();

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(subject, { header = {}, claims = {}, key = privateKey } = {}) {
    const head = { alg: 'ES256', typ: 'at+jwt', kid, ...header };
    const body = {
        iss: issuer, aud: audience, sub: String(subject), role: 'customer', iat: now, exp: now + lifetimeSeconds, jti: crypto.randomUUID(), ...claims,
    };
    const input = `${encode(head)}.${encode(body)}`;
    if (head.alg === 'none') return `${input}.`;
    // RFC 7518 section 3.4: R and S one after the other, not DER.
    return `${input}.${crypto.sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const otherKey = crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

console.log(JSON.stringify({
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }),
    keySet: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] },
    good: Array.from({ length: Number(count) }, (_, index) => token(index + 1)),
    bad: {
        'a forged signature': token(1, { key: otherKey }),
        'an end in the past': token(1, { claims: { iat: now - 7200, exp: now - 3600 } }),
        'another issuer': token(1, { claims: { iss: 'urn:souk:somebody' } }),
        'another audience': token(1, { claims: { aud: 'urn:souk:elsewhere' } }),
        'another type': token(1, { header: { typ: 'JWT' } }),
        'no algorithm': token(1, { header: { alg: 'none' } }),
    },
}));
