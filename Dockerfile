# One image for every command: a worker by default, `docker run IMAGE status` for another. In it is what runs and nothing
# else: no compiler, no tests, no credential, no configuration (mount it at /app/waybill.config.json).

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Install scripts are not run: the only one that is allowed here fetches a Node, and the image has one.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY core ./core
COPY queue ./queue
COPY producer ./producer
COPY worker ./worker
COPY dashboard ./dashboard
COPY cli ./cli
COPY dev ./dev
RUN npm run build && chmod 755 dist/cli/main.js

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Types and source maps are 40 % of it, and nothing that runs reads them.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.[cm]ts' -o -name '*.map' \) -delete

FROM node:24-slim
ENV NODE_ENV=production \
    WAYBILL_HEALTH_HOST=0.0.0.0 \
    WAYBILL_HEALTH_PORT=9464
WORKDIR /app
# All of it is root's: the process cannot change what it runs.
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN ln -s /app/dist/cli/main.js /usr/local/bin/waybill
# The base image's user `node`, as a number: Kubernetes' runAsNonRoot believes no name.
USER 1000:1000
EXPOSE 9464
# Of `waybill dashboard`, which listens beyond loopback where WAYBILL_DASHBOARD_HOST says so and somebody can sign in.
EXPOSE 7070
# Answered by `waybill worker` alone; switch it off where the image runs something else.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.WAYBILL_HEALTH_PORT + '/livez', { signal: AbortSignal.timeout(4000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: node is process 1, so SIGTERM reaches it, and it lets attempts in flight finish.
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["worker"]
