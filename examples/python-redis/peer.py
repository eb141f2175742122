# A Python peer: verifies the token by itself, and asks Redis in one command whether it was revoked.
import json
import os
import sys
import time
from urllib.request import urlopen
from wsgiref.simple_server import make_server

try:
    import jwt
    import redis
except ImportError:
    sys.exit('apt install python3-jwt python3-cryptography python3-redis')

ISSUER = os.environ.get('SIGNOFF_URL', 'https://localhost:8443')
if 'REDIS_URL' not in os.environ:
    sys.exit('Set REDIS_URL to the Redis that Signoff writes to')
PREFIX = os.environ.get('REDIS_PREFIX', '')
denylist = redis.Redis.from_url(os.environ['REDIS_URL'], socket_timeout=0.5, socket_connect_timeout=0.5)
keys, asked_at = {}, float('-inf')


class Refused(Exception):
    pass


def key_of(token):
    """Strangers' key ids do not make it ask more than once a minute; while Signoff is away, the keys stay."""
    global keys, asked_at
    kid = jwt.get_unverified_header(token).get('kid')
    if time.monotonic() - asked_at > (300 if kid in keys else 60 if keys else 1):
        asked_at = time.monotonic()
        try:
            with urlopen(f'{ISSUER}/.well-known/jwks.json', timeout=3) as answer:
                keys = {key['kid']: jwt.PyJWK(key).key for key in json.load(answer)['keys']}
        except (OSError, ValueError) as error:
            print(f'the keys cannot be fetched: {error}', file=sys.stderr)
    if not keys:
        raise Refused('503 Service Unavailable', 'keys_unavailable')
    if kid not in keys:
        raise jwt.InvalidTokenError
    return keys[kid]


def live_claims(authorization):
    scheme, _, token = authorization.strip().partition(' ')
    if scheme.lower() != 'bearer' or not token:
        raise Refused('401 Unauthorized', 'token_missing')
    try:
        required = ['exp', 'iat', 'sub', 'sid', 'jti']
        claims = jwt.decode(token.strip(), key_of(token.strip()), algorithms=['ES256'], issuer=ISSUER,
                            audience='signoff', leeway=5, options={'require': required})
    except jwt.InvalidTokenError:
        raise Refused('401 Unauthorized', 'token_invalid')
    if claims.get('token_type') != 'access':
        raise Refused('401 Unauthorized', 'token_invalid')

    sid, jti = claims['sid'], claims['jti']
    partition = f'{PREFIX}denylist:{{{sid[-2:]}}}'
    try:
        synced, *denials = denylist.mget(f'{partition}:synced', f'{partition}:{sid}', f'{partition}:{sid}:{jti}')
    except redis.RedisError:
        raise Refused('503 Service Unavailable', 'denylist_unknown')
    if any(denial is not None for denial in denials):
        raise Refused('401 Unauthorized', 'token_denied')
    if synced is None:
        raise Refused('503 Service Unavailable', 'denylist_unknown')
    return claims


def app(environ, start_response):
    headers = [('Content-Type', 'application/json')]
    try:
        claims = live_claims(environ.get('HTTP_AUTHORIZATION', ''))
        status, body = '200 OK', {'user': claims['sub']}
    except Refused as refused:
        status, code = refused.args
        body = {'error': code}
        if status.startswith('503'):
            headers.append(('Retry-After', '1'))
        else:
            missing = code == 'token_missing'
            headers.append(('WWW-Authenticate', 'Bearer' if missing else 'Bearer error="invalid_token"'))
    start_response(status, headers)
    return [json.dumps(body).encode()]


if __name__ == '__main__':
    port = int(os.environ.get('PORT', '3000'))
    # For more than one request at a time: gunicorn peer:app
    with make_server('127.0.0.1', port, app) as server:
        print(f'Listening on http://localhost:{port}', flush=True)
        server.serve_forever()
