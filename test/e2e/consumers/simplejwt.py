# A Django peer that asks SimpleJWT for the user, with nothing but settings; prints its port.
import os
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

ISSUER = os.environ['ISSUER']

settings.configure(
    SECRET_KEY='which no token is signed with',
    ALLOWED_HOSTS=['127.0.0.1'],
    ROOT_URLCONF='__main__',
    INSTALLED_APPS=['django.contrib.contenttypes', 'django.contrib.auth', 'rest_framework'],
    REST_FRAMEWORK={
        'DEFAULT_AUTHENTICATION_CLASSES': [
            'rest_framework_simplejwt.authentication.JWTTokenUserAuthentication'
        ],
        'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.IsAuthenticated'],
    },
    SIMPLE_JWT={
        'ALGORITHM': 'ES256',
        'SIGNING_KEY': '',
        'JWK_URL': f'{ISSUER}/.well-known/jwks.json',
        'ISSUER': ISSUER,
        'AUDIENCE': 'signoff',
    },
)
django.setup()

from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


class Welcome(APIView):
    def get(self, request):
        return Response({'user': request.user.id})


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


urlpatterns = [path('', Welcome.as_view())]
server = make_server('127.0.0.1', 0, get_wsgi_application(), handler_class=Quiet)
print(server.server_port)
server.serve_forever()
