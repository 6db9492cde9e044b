"""One Apache Kafka node (KRaft: broker and controller in one) for this machine, from jars `make setup` got.

Prepares its folder and says how to run it; knows no topic. Loopback only.
"""

import base64
import os
import re
import shutil
import socket
import struct
import subprocess
import uuid
from pathlib import Path

from services.ops.local.errors import LocalPartError
from services.ops.local.layout import kafka_jars, log_file
from services.ops.local.ports import HOST
from services.ops.local.state import ProcessSpec

NAME = "kafka"
JAVA_LEAST = 17
HEAP_MB = 512
LOG_MB_MAX = 10
DEDUPE_BUFFER_BYTES = 32 * 1024 * 1024
FORMAT_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30.0
MISSING_JAVA = (
    f"Kafka needs Java {JAVA_LEAST} or newer and {{found}}; run `make setup`, "
    "install openjdk-17-jre-headless, or point KAFKA_BOOTSTRAP at a Kafka you have"
)

PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@{host}:{controller_port}
inter.broker.listener.name=BROKER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.retention.ms=-1
log.cleaner.dedupe.buffer.size={dedupe_buffer_bytes}
num.network.threads=2
num.io.threads=4
"""

LOGGING = """\
status=error
appenders=file
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName={log}
appender.file.filePattern={log}.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d %p %c: %m%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size={log_mb_max}MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=2
rootLogger.level=warn
rootLogger.appenderRefs=file
rootLogger.appenderRef.file.ref=file
"""


def prepare(home: Path, port: int, controller_port: int) -> ProcessSpec:
    """Makes the folder ready and says how to run the node. Blocks for some seconds the first time.

    Raises LocalPartError where Java or the jars are missing, or the folder cannot be formatted.
    """
    java = find_java()
    jars = kafka_jars()
    if not any(jars.glob("kafka_2.13-*.jar")):
        raise LocalPartError(f"Kafka's jars are missing from {jars}; run `make setup` or set KAFKA_BOOTSTRAP")
    folder = home / NAME
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    logging = folder / "log4j2.properties"
    logging.write_text(LOGGING.format(log=log_file(home, "kafka-server"), log_mb_max=LOG_MB_MAX))
    command = (java, f"-Dlog4j2.configurationFile={logging}", "-cp", f"{jars}/*")
    if not (folder / "data").is_dir():
        _format(folder, command, port, controller_port)
    properties = folder / "server.properties"
    properties.write_text(_properties(folder / "data", port, controller_port))
    # The quick compiler alone: on a small box the other one takes from the services what it gives the broker.
    jit = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
    heap = (f"-Xmx{HEAP_MB}m", f"-Xms{HEAP_MB // 2}m", *jit, "-Djava.awt.headless=true")
    return ProcessSpec(
        name=NAME,
        argv=(java, *heap, *command[1:], "kafka.Kafka", str(properties)),
        stop_timeout_s=STOP_TIMEOUT_S,
    )


def _properties(data: Path, port: int, controller_port: int) -> str:
    return PROPERTIES.format(
        host=HOST,
        port=port,
        controller_port=controller_port,
        data=data,
        dedupe_buffer_bytes=DEDUPE_BUFFER_BYTES,
    )


def _format(folder: Path, command: tuple[str, ...], port: int, controller_port: int) -> None:
    """Formats a folder beside and renames it: an interrupted format leaves nothing that looks whole."""
    fresh = folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    properties = folder / "format.properties"
    properties.write_text(_properties(fresh, port, controller_port))
    tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={_cluster_id()}", f"--config={properties}")
    done = subprocess.run(
        (*command, *tool), capture_output=True, text=True, timeout=FORMAT_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise LocalPartError(f"Kafka's folder {fresh} cannot be formatted: {' '.join(reason)}")
    fresh.rename(folder / "data")


def _cluster_id() -> str:
    """A random cluster id in Kafka's own form; "A" first, because a leading dash would read as an option."""
    return "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]


def find_java() -> str:
    """The path of a Java that is new enough: JAVA_HOME's, else the one on the path. Else LocalPartError."""
    home = os.environ.get("JAVA_HOME")
    beside = Path(home) / "bin" / "java" if home else None
    java = str(beside) if beside and beside.is_file() else shutil.which("java")
    if java is None:
        raise LocalPartError(MISSING_JAVA.format(found="none was found"))
    told = subprocess.run((java, "-version"), capture_output=True, text=True, timeout=30, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < JAVA_LEAST:
        raise LocalPartError(MISSING_JAVA.format(found=f"{java} is {version[1] if version else 'unknown'}"))
    return java


def answers(bootstrap: str, timeout_s: float = 2.0) -> bool:
    """Whether a broker at the first address of `host:port[,host:port]` answers which requests it knows."""
    host, _, port = bootstrap.split(",")[0].strip().rpartition(":")
    client = b"c360"
    body = struct.pack(">hhih", 18, 0, 1, len(client)) + client  # ApiVersions, version 0, correlation 1
    try:
        with socket.create_connection((host, int(port)), timeout=timeout_s) as broker:
            broker.sendall(struct.pack(">i", len(body)) + body)
            reply = broker.recv(10, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(reply) == 10 and struct.unpack(">iih", reply)[1:] == (1, 0)
