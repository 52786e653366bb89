# The book without Python on your machine: see "In a container" in book/how_to.md.
FROM python:3.12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 reader && install --directory --owner=reader /srv/book
USER reader
WORKDIR /srv/book
COPY --chown=reader . .
RUN --mount=type=cache,target=/home/reader/.cache/pip,uid=1000 make venv && mkdir -p _build _work
CMD ["make", "book"]
