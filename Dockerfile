# The relay with page and models inside, and nothing else: no shell, no libraries, no packages to keep patched.
# Build it with `cargo xtask image`, which makes the static binary that is copied here.
FROM scratch
COPY mien-relay /mien-relay
# Owned by the user below: a new volume takes its owner from here.
COPY --chown=65532:65532 data /data
USER 65532:65532
WORKDIR /data
VOLUME /data
ENV MIEN_LISTEN=0.0.0.0:8080 MIEN_DATABASE_URL=sqlite:/data/mien.db
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/mien-relay", "health"]
ENTRYPOINT ["/mien-relay"]
