#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A throwaway Slurm cluster of one node on this machine, from Debian's
# packages, for trying job scripts. Everything lies in one directory: munge
# key and socket, slurm.conf, state, spool, logs; ports are picked free. Works
# as root and as an ordinary user, without systemd and without cgroups.
#
#   cluster.sh up DIR       starts it; again is harmless
#   cluster.sh down DIR     cancels jobs, stops every daemon, removes DIR
#   cluster.sh env DIR      prints what a client's shell needs
#   cluster.sh test HANSE   a cluster of its own, hanse.sbatch through it with
#                           the program HANSE, and the result compared with
#                           the one made without Slurm; exit status 77 when
#                           the packages are not installed
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { echo "slurm: $*"; }
die() {
    echo "slurm: error: $*" >&2
    exit 1
}

missing_programs() {
    local program missing=()
    for program in munged slurmctld slurmd sbatch srun scontrol sinfo; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    echo "${missing[*]}"
}

# wait_for SECONDS COMMAND...: until it succeeds, 1 when the time is over.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# Ids of the living daemons that have a file of directory $1 open. A step's
# daemon outlives slurmd and names no path in its command line; its log shows
# where it belongs. Zombies, which some containers never reap, have no files.
daemons() {
    local process
    for process in /proc/[0-9]*; do
        case $(cat "$process/comm" 2>/dev/null) in
        munged | slurmctld* | slurmscriptd | slurmd* | slurmstepd) ;;
        *) continue ;;
        esac
        if [ -n "$(find "$process/fd" -maxdepth 1 -lname "$1/*" -print -quit \
            2>/dev/null)" ]; then
            echo "${process#/proc/}"
        fi
    done
}
no_daemons() { [ -z "$(daemons "$1")" ]; }

controller_up() { scontrol ping | grep -q 'is UP'; }
node_idle() { [ "$(sinfo -h -N -o %t)" = idle ]; }
no_jobs() { [ -z "$(squeue -h)" ]; }

port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Two free ports in a row, below the range that the kernel hands out.
pick_ports() {
    local base
    for _ in $(seq 50); do
        base=$((20000 + RANDOM % 12000))
        if port_free "$base" && port_free $((base + 1)); then
            echo "$base"
            return
        fi
    done
    die "no two free ports in a row between 20000 and 32000"
}

write_configuration() { # DIR
    local dir=$1 host user port cpus memory_mib
    host=$(hostname -s)
    user=$(id -un)
    port=$(pick_ports)
    cpus=$(nproc)
    memory_mib=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
    # A machine of one core shows two, so that a job can ask for two threads.
    [ "$cpus" -ge 2 ] || cpus=2
    # Nothing here uses control groups, but slurmd loads a plug-in for them. The
    # first version's does no harm where there are none, or none that we may
    # write; the second's wants systemd.
    echo "CgroupPlugin=cgroup/v1" >"$dir/cgroup.conf"
    cat >"$dir/slurm.conf" <<EOF
ClusterName=hanse
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
TmpFS=$dir/tmp
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
KillWait=2
CompleteWait=0
MailProg=/bin/true
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=$cpus RealMemory=$memory_mib State=UNKNOWN
PartitionName=main Nodes=n1 Default=YES MaxTime=INFINITE State=UP
EOF
}

# Daemons stay in the foreground of sessions of their own: no double fork
# leaves zombies behind where nobody reaps them.
start() { # NAME COMMAND...
    local name=$1
    shift
    setsid "$@" >"$dir/log/$name.out" 2>&1 </dev/null &
}

up() { # DIR
    local dir=$1 missing
    missing=$(missing_programs)
    [ -z "$missing" ] || die "not installed: $missing (try ./dev deps)"
    export SLURM_CONF=$dir/slurm.conf
    if [ -e "$dir" ]; then
        # The name may be a guessable one in a directory that all can write.
        if [ -L "$dir" ] || [ ! -O "$dir" ] || [ ! -f "$dir/slurm.conf" ]; then
            die "$dir exists and is not a cluster of yours"
        fi
        if controller_up 2>/dev/null; then
            say "already up in $dir"
            return
        fi
        down "$dir"
    fi
    (umask 077 && mkdir "$dir" && mkdir "$dir"/{munge,state,spool,log,tmp}) ||
        die "cannot make $dir"
    head -c 1024 /dev/urandom >"$dir/munge/key"
    chmod 600 "$dir/munge/key"
    write_configuration "$dir"

    # --force: the socket lies below a directory that only its owner may
    # enter, and munged expects users other than the owner.
    start munged munged --foreground --force --key-file="$dir/munge/key" \
        --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
        --log-file="$dir/log/munged.log" --seed-file="$dir/munge/seed"
    wait_for 20 test -S "$dir/munge/socket" || give_up "$dir" "munged"
    start slurmctld slurmctld -D -c -f "$dir/slurm.conf"
    start slurmd slurmd -D -N n1 -f "$dir/slurm.conf"
    wait_for 60 node_idle || give_up "$dir" "the node"
    say "up in $dir: $(sinfo -h -o '%c cores, %m MiB')"
}

give_up() { # DIR WHAT
    tail -n 5 "$1"/log/* >&2 || true
    down "$1"
    die "$2 did not start"
}

down() { # DIR
    local dir=$1 signal ids
    [ -d "$dir" ] || return 0
    [ -f "$dir/slurm.conf" ] || die "$dir is not a cluster"
    export SLURM_CONF=$dir/slurm.conf
    if controller_up 2>/dev/null; then
        scancel --user="$(id -un)" 2>/dev/null || true
        wait_for 15 no_jobs || say "jobs are slow to end"
    fi
    for signal in TERM KILL; do
        mapfile -t ids < <(daemons "$dir")
        # One that has ended in between is no error.
        [ ${#ids[@]} -eq 0 ] || kill -"$signal" "${ids[@]}" 2>/dev/null || true
        wait_for 10 no_daemons "$dir" && break
    done
    no_daemons "$dir" || die "still running: $(daemons "$dir")"
    rm -rf "$dir"
    say "down"
}

# ---- The test -------------------------------------------------------------

job_field() { # JOB FIELD
    scontrol -o show job "$1" | grep -oE "(^| )$2=[^ ]+" | cut -d= -f2
}
job_ended() {
    case $(job_field "$1" JobState) in
    PENDING | CONFIGURING | RUNNING | COMPLETING | "") return 1 ;;
    esac
}

# Submits hanse.sbatch with the arguments and waits for its end; prints its
# log, sets `state` and `exit_code`. (sbatch --wait looks every ten seconds.)
submit() {
    local job
    job=$(sbatch --parsable --cpus-per-task=2 --mem=1024M --time=5 \
        --output="$work/job-%j.log" "$here/hanse.sbatch" "$@" </dev/null)
    wait_for 120 job_ended "$job" || die "job $job does not end"
    state=$(job_field "$job" JobState)
    exit_code=$(job_field "$job" ExitCode)
    log=$work/job-$job.log
    sed 's/^/    /' "$log"
    say "job $job: $state, exit code $exit_code"
}

run_test() { # HANSE
    local hanse missing state exit_code log
    hanse=$(realpath "$1")
    missing=$(missing_programs)
    if [ -n "$missing" ]; then
        echo "SKIPPED: not installed: $missing (try ./dev deps)"
        exit 77
    fi
    work=$(mktemp -d)
    trap 'down "$work/cluster"; rm -rf "$work"' EXIT
    export HANSE=$hanse
    mkdir "$work/direct" "$work/slurm"
    "$hanse" generate "$work/table.h5" -n 300000 --clusters 300 --seed 7
    # One name for the output, because the result's history shows it.
    (cd "$work/direct" &&
        "$hanse" run ../table.h5 -o result.h5 --threads 1 --quiet)

    up "$work/cluster"
    cd "$work/slurm"
    submit ../table.h5 result.h5
    [ "$state $exit_code" = "COMPLETED 0:0" ] || die "the job failed"
    grep -q 'threads *2$' "$log" || die "not the threads of the allocation"
    grep -q 'memory *768 MiB$' "$log" || die "not the allocation's memory"
    /usr/bin/python3 "$here/../tests/compare_results.py" \
        "$work/direct/result.h5" "$work/slurm/result.h5"

    # A job that cannot be done ends as failed and leaves the old result.
    cp result.h5 before.h5
    submit ../table.h5 result.h5 --by no_such_column
    [ "$state" = FAILED ] || die "a wrong job counts as $state"
    [ "$exit_code" = 2:0 ] || die "a wrong job ends with $exit_code"
    grep -q no_such_column "$log" || die "the log does not say what is wrong"
    cmp result.h5 before.h5 || die "a failed job changed the old result"
    say "passed"
}

usage() {
    sed -n '/^#   cluster/,/^set/s/^#  \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

[ $# -eq 2 ] || usage
case $1 in
up) up "$(realpath -m "$2")" ;;
down) down "$(realpath -m "$2")" ;;
env) echo "export SLURM_CONF=$(printf %q "$(realpath -m "$2")/slurm.conf")" ;;
test) run_test "$2" ;;
*) usage ;;
esac
