#!/bin/sh
# Installs what the build, the runs and the figures need; with --checks also what .ci/run needs besides.
# Never asks anything. Does nothing, at once, when everything is there. Exit codes: 0, 2 (usage), 6 (cannot).
set -u

BASE="gcc make pkg-config openmpi-bin libopenmpi-dev libhdf5-dev check libyaml-dev libjansson-dev
      librandom123-dev libsodium-dev libsuitesparse-dev libmetis-dev python3 python3-h5py python3-numpy python3-matplotlib"
CHECKS="clang-format clang valgrind cppcheck shellcheck mpich libmpich-dev hdf5-tools python3-xarray
        python3-h5netcdf python3-netcdf4"

have() {
    command -v "$1" >/dev/null 2>&1
}

# The names of a Debian package elsewhere: "Fedora|Spack".
names_elsewhere() {
    case $1 in
    gcc | valgrind | cppcheck) echo "$1|$1" ;;
    shellcheck) echo "ShellCheck|shellcheck" ;;
    mpich) echo "mpich|mpich" ;;
    libmpich-dev) echo "mpich-devel|mpich" ;;
    make) echo "make|gmake" ;;
    pkg-config) echo "pkgconf-pkg-config|pkgconf" ;;
    openmpi-bin) echo "openmpi|openmpi" ;;
    libopenmpi-dev) echo "openmpi-devel|openmpi" ;;
    libhdf5-dev) echo "hdf5-devel|hdf5" ;;
    check) echo "check-devel|check" ;;
    libyaml-dev) echo "libyaml-devel|libyaml" ;;
    libjansson-dev) echo "jansson-devel|jansson" ;;
    librandom123-dev) echo "Random123-devel|random123" ;;
    libsodium-dev) echo "libsodium-devel|libsodium" ;;
    libmetis-dev) echo "metis-devel|metis" ;;
    libsuitesparse-dev) echo "suitesparse-devel|suite-sparse" ;;
    python3) echo "python3|python" ;;
    python3-*) echo "$1|py-${1#python3-}" ;;
    clang-format) echo "clang-tools-extra|llvm+clang" ;;
    clang) echo "clang|llvm+clang" ;;
    hdf5-tools) echo "hdf5|hdf5" ;;
    esac
}

has_header() {
    printf '#include <%s>\n' "$1" | cc -E - >/dev/null 2>&1
}

has_library() {
    pkg-config --exists "$1" 2>/dev/null || has_header "$2"
}

has_module() {
    "$(dirname "$0")/python" -c "import $1" >/dev/null 2>&1
}

# Whether what the Debian package gives is there, however it came.
probe() {
    case $1 in
    gcc) have cc ;;
    make | pkg-config | clang | clang-format | valgrind | cppcheck | shellcheck) have "$1" ;;
    mpich | libmpich-dev) have mpicc.mpich ;;
    openmpi-bin) have mpirun || have mpiexec || have srun ;;
    libopenmpi-dev) have mpicc ;;
    libhdf5-dev) has_library hdf5 hdf5.h || has_library hdf5-serial hdf5.h || have h5cc ;;
    check) has_library check check.h ;;
    libyaml-dev) has_library yaml-0.1 yaml.h ;;
    libjansson-dev) has_library jansson jansson.h ;;
    librandom123-dev) has_header Random123/philox.h ;;
    libsodium-dev) has_library libsodium sodium.h ;;
    libsuitesparse-dev) has_library CHOLMOD suitesparse/cholmod.h || has_header cholmod.h ;;
    libmetis-dev) has_header metis.h ;;
    hdf5-tools) have h5dump ;;
    python3) has_module sys ;;
    python3-netcdf4) has_module netCDF4 ;;
    python3-*) has_module "${1#python3-}" ;;
    esac
}

# The names in "$@" whose Debian package is not installed.
without_package() {
    installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null)"
    for package in "$@"; do
        case $installed in
        *" installed:$package "*) ;;
        *) echo "$package" ;;
        esac
    done
}

# The names in "$@" that no probe finds.
without_probe() {
    for package in "$@"; do
        probe "$package" || echo "$package"
    done
}

# What is missing of "$@". An MPI compiler of any make is taken as it is.
missing_of() {
    if have dpkg-query; then
        without_package "$@"
    else
        without_probe "$@"
    fi | if have mpicc; then
        grep -v openmpi
    else
        cat
    fi
}

# Says what to install by hand and stops.
give_up() {
    reason=$1
    shift
    {
        echo "install_deps.sh: $reason. Please install:"
        printf '  %-22s %-22s %s\n' Debian/Ubuntu Fedora Spack
        for package in "$@"; do
            elsewhere=$(names_elsewhere "$package")
            printf '  %-22s %-22s %s\n' "$package" "${elsewhere%|*}" "${elsewhere#*|}"
        done
    } >&2
    exit 6
}

# apt-get as root, silent, into the log. sudo may ask for a password on the terminal.
apt() {
    set -- env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
    if [ "$(id -u)" -ne 0 ]; then
        set -- sudo "$@"
    fi
    "$@" >>"$log" 2>&1 </dev/null
}

may_install() {
    [ "$(id -u)" -eq 0 ] || { have sudo && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }
}

# Installs "$@". Old lists may do where the update fails for a source that is not needed.
install_packages() {
    log=$(mktemp) || exit 6
    trap 'rm -f "$log"' EXIT
    trap 'exit 6' HUP INT TERM
    echo "install_deps.sh: installing $*" >&2
    apt update || apt update
    if ! apt install --no-install-recommends "$@"; then
        echo "install_deps.sh: apt-get failed:" >&2
        tail -n 15 "$log" >&2
        exit 6
    fi
}

main() {
    wanted=$BASE
    case ${1:-} in
    '') ;;
    --checks) wanted="$BASE $CHECKS" ;;
    *)
        echo "usage: install_deps.sh [--checks]" >&2
        exit 2
        ;;
    esac
    # shellcheck disable=SC2046,SC2086 # lists of package names: one word each
    set -- $(missing_of $wanted)
    if [ $# -gt 0 ] && have apt-get && may_install; then
        install_packages "$@"
        return
    fi
    # shellcheck disable=SC2046 # as above
    set -- $(without_probe "$@")
    if [ $# -gt 0 ] && have apt-get; then
        give_up "neither root nor sudo that works" "$@"
    elif [ $# -gt 0 ]; then
        give_up "there is no apt-get here" "$@"
    fi
}

main "$@"
