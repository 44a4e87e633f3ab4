# The tool `bspm`, and a server for one model:
#
#     docker build -t bspm .
#     docker run -p 127.0.0.1:8080:8080 -v "$PWD:/models" bspm
#     docker run -v "$PWD:/models" bspm tune /models/ratings.csv -o /models/model.bspm
FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo install --locked --path bspm-cli --root /installed

FROM debian:bookworm-slim
COPY --from=build /installed/bin/bspm /usr/local/bin/bspm
RUN useradd --system bspm
USER bspm
EXPOSE 8080
ENTRYPOINT ["bspm"]
CMD ["serve", "/models/model.bspm", "--address", "0.0.0.0:8080"]
