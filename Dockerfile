# The production image: built with everything, run with nothing but what serving needs, and not as root.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Where `keys generate` may write; a volume mounted here keeps that owner.
RUN mkdir /keys && chown node:node /keys
USER node
EXPOSE 8443
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["node", "-e", "require(process.env.TLS === 'off' ? 'http' : 'https').get({ host: 'localhost', port: process.env.PORT || 8443, path: '/healthz', rejectUnauthorized: false }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
