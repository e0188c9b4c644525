# The image of every Airflow service in docker-compose.yaml: pinned and hash-checked requirements, no root, no compiler.
# `docker build --target sandbox` adds what the emulators need; the plain image has none of it.
ARG PYTHON_IMAGE=python:3.12.11-slim-bookworm
FROM ${PYTHON_IMAGE} AS production

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/opt/retention/plugins:/opt/retention \
    AIRFLOW_HOME=/opt/airflow \
    UV_PYTHON_DOWNLOADS=never \
    PATH=/opt/venv/bin:$PATH

# The folders that volumes are mounted on belong to the user, and a new volume takes that over.
RUN useradd --uid 50000 --gid 0 --home-dir /opt/airflow --no-create-home airflow \
    && mkdir -p /opt/airflow/logs /var/lib/retention/checkpoints /var/lib/retention/copies /var/lib/retention/sandbox \
    && chown -R 50000:0 /opt/airflow /var/lib/retention

WORKDIR /opt/retention
COPY requirements-uv.txt requirements.txt ./
RUN python -m venv /opt/venv \
    && pip install --no-cache-dir --require-hashes -r requirements-uv.txt \
    && uv pip install --no-cache --python /opt/venv/bin/python --require-hashes -r requirements.txt

COPY dags dags
COPY include include
COPY plugins plugins
COPY tools tools
COPY provider provider
RUN uv pip install --no-cache --offline --no-deps --python /opt/venv/bin/python ./provider

ARG RETENTION_VERSION=unversioned
ENV RETENTION_VERSION=${RETENTION_VERSION}
USER 50000:0

FROM production AS sandbox
USER root
COPY requirements-dev.txt ./
RUN uv pip install --no-cache --python /opt/venv/bin/python --require-hashes -r requirements.txt -r requirements-dev.txt
COPY sandbox sandbox
USER 50000:0

# The last stage is what `docker build` makes without a target.
FROM production
