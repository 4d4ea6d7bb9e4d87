'use strict';

// A gateway alone, for `bench/run gateway`: Express hands everything to http-proxy. With PUBLIC_KEY every request needs a good token first and
// is counted for its subject.
//
// A token is verified for every request, as jsonwebtoken and express-jwt do: of the key the parsed form is kept, of the token nothing. The
// limiter counts in fixed windows in a map, as express-rate-limit's own store does.

const crypto = require('node:crypto');
const fs = require('node:fs');
const express = require('express');
const httpProxy = require('http-proxy');
const { agent, listen } = require('./service');

const proxy = httpProxy.createProxyServer({ target: process.env.UPSTREAM, xfwd: true, ...(agent ? { agent } : {}) });
proxy.on('error', (error, request, response) => {
    if (response.headersSent) return response.destroy();
    response.writeHead(502, { 'Content-Type': 'application/json' }).end(JSON.stringify({ error: 'Bad gateway' }));
});

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));

function authenticate(publicKey) {
    const { ISSUER: issuer, AUDIENCE: audience } = process.env;
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' };

    function subject(authorization = '') {
        const [head, body, signature] = authorization.replace(/^Bearer /, '').split('.');
        if (!signature) return null;
        const { alg, typ } = decode(head);
        if (alg !== 'ES256' || typ !== 'at+jwt') return null;
        if (!crypto.verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) return null;
        const { iss, aud, exp, sub } = decode(body);
        return iss === issuer && aud === audience && exp > Date.now() / 1000 ? sub : null;
    }

    return (request, response, next) => {
        try {
            request.subject = subject(request.headers.authorization);
        } catch {
            request.subject = null;
        }
        return request.subject ? next() : response.status(401).json({ error: 'Not authenticated' });
    };
}

function limit(requests, seconds) {
    let counts = new Map();
    setInterval(() => { counts = new Map(); }, seconds * 1000).unref();
    return (request, response, next) => {
        const count = (counts.get(request.subject) ?? 0) + 1;
        counts.set(request.subject, count);
        return count <= requests ? next() : response.status(429).json({ error: 'Too many requests' });
    };
}

const app = express();
if (process.env.PUBLIC_KEY) {
    app.use(authenticate(crypto.createPublicKey(fs.readFileSync(process.env.PUBLIC_KEY))));
    // The narrow limit is for showing that there is one.
    const [wide, narrow] = [process.env.LIMIT, process.env.NARROW_LIMIT].map((requests) => limit(Number(requests), 60));
    app.use((request, response, next) => (request.path === '/limited' ? narrow : wide)(request, response, next));
}
app.use((request, response) => proxy.web(request, response));

// Node would end a connection that is not used for 5 s; the other gateways do after 75.
listen(app).keepAliveTimeout = 75_000;
