# Built by hack/image, with the stage `checkout` as a second image. The result holds the binary, the shared libraries that it
# names, weir-step for the pods of pipelines, root certificates, and nothing else.
FROM docker.io/library/debian:bookworm-slim AS build

RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates ccache cmake g++ ninja-build pkg-config \
        libcpp-httplib-dev libexpat1-dev libfmt-dev libspdlog-dev libssl-dev libyaml-cpp-dev nlohmann-json3-dev prometheus-cpp-dev \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY CMakeLists.txt CMakePresets.json ./
COPY crds crds
COPY operator operator
# As the tests are compiled, without the debug information: so hack/image can mount the cache that they have filled.
ARG CCACHE_DIR=/root/.cache/ccache
RUN --mount=type=cache,target=/root/.cache/ccache \
    cmake --preset demo \
    && cmake --build --preset demo --target weir weir-step \
    && mkdir -p /rootfs \
    && install -s build/demo/weir build/demo/weir-step /rootfs/

# A library that ldd does not find fails the build here and not in a cluster.
RUN set -e; \
    ldd /rootfs/weir >/tmp/libraries; \
    ! grep 'not found' /tmp/libraries; \
    grep -o '/[^ ]*' /tmp/libraries | xargs cp --parents --dereference --target-directory=/rootfs; \
    mkdir -p /rootfs/etc/ssl/certs; \
    cp /etc/ssl/certs/ca-certificates.crt /rootfs/etc/ssl/certs/; \
    echo 'nonroot:x:65532:65532::/nonexistent:/nologin' >/rootfs/etc/passwd; \
    echo 'nonroot:x:65532:' >/rootfs/etc/group; \
    echo 'hosts: files dns' >/rootfs/etc/nsswitch.conf

# For pipelines with a source. git is no library of ours, and what fetches commits has no part in the operator.
FROM docker.io/library/debian:bookworm-slim AS checkout
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/*
COPY operator/step/weir-checkout /usr/local/bin/
# ssh wants a name for its user: that of the steps, unless a stage says otherwise.
RUN echo 'steps:x:1000:1000::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
USER 1000:1000
ENTRYPOINT ["/usr/local/bin/weir-checkout"]

FROM scratch
COPY --from=build /rootfs /
# Debian's OpenSSL looks elsewhere when the package `openssl` is not there.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/weir"]
CMD ["operator"]
