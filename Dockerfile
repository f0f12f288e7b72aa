# One image for MLflow's server, optuna-dashboard, Dask's scheduler and workers, and the command itself (docker-compose.yml).
# bookworm has Python 3.11, for which constraints.txt is made
FROM python:3.11.14-slim-bookworm

# pip reads it: an index with wheels of torch for processors, as PyTorch's page on installation names one; without it the image
# takes the wheels for GPUs, gigabytes of them
ARG PIP_EXTRA_INDEX_URL
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 1000 jetbench \
    && install --directory --owner=jetbench --group=jetbench /results /cache

WORKDIR /opt/jetbench
COPY constraints.txt .
RUN pip install -c constraints.txt torch
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY jetbench jetbench
COPY benchmarks benchmarks
COPY studies studies
RUN pip install -c constraints.txt ".[server,dashboard,lightgbm]"

USER jetbench
WORKDIR /home/jetbench
CMD ["jetbench", "--help"]
