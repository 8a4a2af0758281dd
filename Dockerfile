FROM debian:trixie-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check uv
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock README.md ./
RUN /opt/uv/bin/uv sync --locked --no-dev --extra telemetry --no-install-project
COPY schemas schemas
COPY models models
COPY explainers explainers
COPY service service
RUN /opt/uv/bin/uv sync --locked --no-dev --extra telemetry --no-editable

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin shapserve
COPY --from=build /app/.venv /app/.venv
# Inside a container the service listens on every interface; which of them is reachable is for the one who publishes the port.
ENV PATH=/app/.venv/bin:$PATH KERAS_HOME=/tmp/keras MPLCONFIGDIR=/tmp/matplotlib PYTHONUNBUFFERED=1 SHAPSERVE_HOST=0.0.0.0 SHAPSERVE_PORT=8000
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['SHAPSERVE_PORT'] + '/readyz', timeout=2)"]
CMD ["shapserve", "serve"]
