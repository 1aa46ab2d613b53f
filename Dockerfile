# One image for every process of the service: the API by default, `python manage.py …` for the others.
# It writes below /data and /tmp alone, so that its file system can be mounted read-only.

FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt \
    && find /opt/venv -name tests -type d -prune -exec rm -rf {} + \
    && /opt/venv/bin/python -m compileall -q /opt/venv

FROM python:3.11-slim
# /data is Django's SQLite file, where DATABASE_URL names no PostgreSQL; /static what nginx serves.
RUN useradd --system --uid 10001 --no-create-home funnel && install -d -o funnel /data /static
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite:////data/db.sqlite3
WORKDIR /srv/funnel
COPY manage.py gunicorn.conf.py ./
COPY funnel funnel
COPY clickhouse_schema clickhouse_schema
COPY ingestion ingestion
COPY videos videos
COPY analytics analytics
COPY notifications notifications
# The admin's style sheets, for the nginx in front. No setting matters to them, but one has to be there.
RUN SECRET_KEY=unused python manage.py collectstatic --no-input
USER 10001
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "--config", "gunicorn.conf.py", "--bind", "0.0.0.0:8000"]
