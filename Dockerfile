# One image for web, worker and beat; docker-compose.yml names the command of each.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt .
RUN pip install --require-hashes --requirement requirements.txt
WORKDIR /app
COPY . .
# Static files do not depend on where the portal runs: these values serve only to read the settings once.
RUN python -m tools.compile_messages \
    && SECRET_KEY=build DATABASE_URL=postgresql://build/build REDIS_URL=redis://build STATIC_ROOT=/app/staticfiles \
       python manage.py collectstatic --no-input \
    && python -m compileall -q .

FROM python:3.12-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STATIC_ROOT=/app/staticfiles MEDIA_ROOT=/media BIND=0.0.0.0 PORT=8000
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin portal \
    && install -d -o portal -g portal /media
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER portal
EXPOSE 8000
CMD ["gunicorn", "--config", "rrp_portal/gunicorn.conf.py", "rrp_portal.wsgi"]
