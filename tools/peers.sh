#!/usr/bin/env bash
# Installs the peers of the interop tests where it may, and names what it leaves
# out where it may not. With CI=true a missing peer is a failure.
set -euo pipefail

missing=()
need() { # command, Debian package, which tests use it
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing+=("$2|$3")
}
look() {
  missing=()
  need storescu dcmtk "association, query and retrieve tests against DCMTK"
  need Orthanc orthanc "association, commitment and STOW tests against Orthanc, benchmarks beside it"
  need openssl openssl "scan of a server with old TLS"
  [ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing+=("orthanc-dicomweb|scan of Orthanc's DICOMweb")
  need socat socat "TLS relay in front of tools without TLS (getscu, movescu)"
  need node nodejs "dicomweb-client and dcmjs-dimse, clients in JavaScript"
  need npm npm "dicomweb-client and dcmjs-dimse, clients in JavaScript"
  need nginx nginx-light "scan of a web server with a directory of files"
  need chromium chromium "pages in a browser"
  need rsyslogd "rsyslog rsyslog-gnutls" "audit record repository over TLS"
  ls /usr/lib/*/rsyslog/lmnsd_gtls.so >/dev/null 2>&1 || missing+=("rsyslog-gnutls|audit record repository over TLS")
  need clamd clamav-daemon "inspection by a virus scanner"
  need nmap nmap "import of what nmap finds"
  need dumpcap wireshark-common "packet capture of a scan"
  need isoinfo genisoimage "images of discs that are downloaded"
  need dciodvfy dicom3tools "check of the synthetic studies"
}

look
if [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null 2>&1; then
  packages=$(printf '%s\n' "${missing[@]}" | cut -d'|' -f1 | sort -u | tr '\n' ' ')
  if [ "$(id -u)" = 0 ]; then
    echo "installing: $packages"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends $packages; } >/tmp/collimator-peers.log 2>&1 ||
      echo "apt-get did not install them; see /tmp/collimator-peers.log"
    look
  else
    echo "not root: install with  sudo apt-get install $packages"
  fi
fi
for m in "${missing[@]}"; do
  echo "LEFT OUT: ${m#*|} (needs Debian's ${m%%|*})"
done
[ -e /dev/fuse ] && [ "$(id -u)" = 0 ] || echo "LEFT OUT: power cuts under an archive in use (needs /dev/fuse and root)"
if [ ${#missing[@]} -gt 0 ] && [ "${CI:-}" = true ]; then
  echo "CI=true: a missing peer is a failure"
  exit 1
fi
