# The API and the command line, from the locks; the store is a Neo4j beside it (docker-compose.yml).
FROM python:3.11-slim AS build
ENV VIRTUAL_ENV=/opt/vinculum
RUN python -m venv "$VIRTUAL_ENV"
WORKDIR /src
COPY requirements/ requirements/
RUN "$VIRTUAL_ENV/bin/pip" install --no-cache-dir --disable-pip-version-check --require-hashes \
      -r requirements/bootstrap.txt \
 && "$VIRTUAL_ENV/bin/uv" pip install --no-cache --require-hashes --compile-bytecode \
      --no-build-isolation-package python-louvain -r requirements/bootstrap.txt -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY ontology/ ontology/
COPY importers/ importers/
COPY resolution/ resolution/
COPY graph/ graph/
COPY api/ api/
RUN "$VIRTUAL_ENV/bin/uv" pip install --no-cache --no-deps --no-build-isolation --compile-bytecode .

FROM python:3.11-slim
# cdlib draws with matplotlib, which wants a folder of its own.
ENV PATH=/opt/vinculum/bin:$PATH PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib \
    VINCULUM_HOME=/var/lib/vinculum VINCULUM_HOST=0.0.0.0 VINCULUM_PORT=8350
RUN groupadd --gid 10001 vinculum \
 && useradd --uid 10001 --gid vinculum --home-dir /var/lib/vinculum --no-create-home --shell /usr/sbin/nologin vinculum \
 && install --directory --mode=0700 --owner=vinculum --group=vinculum /var/lib/vinculum
COPY --from=build /opt/vinculum /opt/vinculum
USER vinculum
WORKDIR /var/lib/vinculum
VOLUME /var/lib/vinculum
EXPOSE 8350
ENTRYPOINT ["vinculum"]
CMD ["serve", "--host", "0.0.0.0"]
