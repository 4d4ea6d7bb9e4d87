'use strict';

// Users in memory. Passwords are hashed with Node's scrypt at its standard cost. There are no tokens.

const crypto = require('node:crypto');
const { promisify } = require('node:util');
const { id, listen, service } = require('./service');

const scrypt = promisify(crypto.scrypt);
const users = [];

const app = service('user-service');

app.post('/api/users/register', async (request, response, next) => {
    try {
        const { name, email, password } = request.body;
        if (users.some((user) => user.email === email)) return response.status(400).json({ error: 'User already exists' });
        const salt = crypto.randomBytes(16);
        const hash = await scrypt(password, salt, 32);
        const user = { id: users.length + 1, name, email, salt, hash };
        users.push(user);
        response.status(201).json({ id: user.id, name, email });
    } catch (error) {
        next(error);
    }
});

app.post('/api/users/login', async (request, response, next) => {
    try {
        const { email, password } = request.body;
        const user = users.find((user) => user.email === email);
        if (!user || !crypto.timingSafeEqual(user.hash, await scrypt(password, user.salt, 32))) {
            return response.status(401).json({ error: 'Invalid credentials' });
        }
        response.json({ message: 'Login successful', userId: user.id });
    } catch (error) {
        next(error);
    }
});

app.get('/api/users/:id', (request, response) => {
    const user = users[id(request.params.id) - 1];
    if (!user) return response.status(404).json({ error: 'User not found' });
    response.json({ id: user.id, name: user.name, email: user.email });
});

listen(app);
