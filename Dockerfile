# One image for MLflow's server, optuna-dashboard, Dask's scheduler and workers, and the command itself (docker-compose.yml).
# bookworm has Python 3.11, for which constraints.txt is made
FROM python:3.11.14-slim-bookworm

# wheels of torch for processors; for GPUs: --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 1000 jetbench \
    && install --directory --owner=jetbench --group=jetbench /results /cache

WORKDIR /opt/jetbench
COPY constraints.txt .
RUN pip install -c constraints.txt --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple torch
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY jetbench jetbench
COPY benchmarks benchmarks
COPY studies studies
RUN pip install -c constraints.txt ".[server,dashboard,lightgbm]"

USER jetbench
WORKDIR /home/jetbench
CMD ["jetbench", "--help"]
