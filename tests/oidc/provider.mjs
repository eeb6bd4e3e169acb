// A certified OpenID Connect provider for tests: node provider.mjs PORT REDIRECT_URI MODULES
// PUT /users replaces the users: {login: {claims}}. Its development pages accept any password.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const [port, redirectUri, modules] = process.argv.slice(2);
const { Provider } = await import(createRequire(`${modules}/`).resolve('oidc-provider'));
const issuer = `http://127.0.0.1:${port}`;
let users = {};

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'console',
    client_secret: 'a-secret-of-the-console',
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [new URL('/sign-in/', redirectUri).href],
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...users[id] }) }),
});
const answer = provider.callback();
createServer(async (request, response) => {
  if (request.method === 'PUT') {
    let body = '';
    for await (const part of request) body += part;
    users = JSON.parse(body);
    response.end();
    return;
  }
  answer(request, response);
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
