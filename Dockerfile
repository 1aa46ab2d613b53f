# One image for every process of the service: the API by default, `python manage.py …` for the others.

FROM python:3.11-slim AS build
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt

FROM python:3.11-slim
# /data is Django's SQLite file, where DATABASE_URL names no PostgreSQL.
RUN useradd --system --create-home funnel && install -d -o funnel /data
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
USER funnel
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "--config", "gunicorn.conf.py", "--bind", "0.0.0.0:8000"]
