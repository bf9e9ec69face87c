# Keys, certificates and kubeconfigs of a cluster; sourced after names.sh.
# shellcheck shell=bash disable=SC2154  # id, data, addresses: names.sh

# certificate NAME SUBJECT EXTENSION... makes NAME.key and NAME.crt in the current
# folder, signed by ca if there is one and by itself otherwise.
certificate() {
  local name=$1 subject=$2 options=() extension
  shift 2
  for extension in "$@"; do options+=(-addext "$extension"); done
  [[ ! -e ca.crt ]] || options+=(-CA ca.crt -CAkey ca.key)
  # An empty configuration, since the system's makes every certificate an authority.
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') \
    -subj "$subject" -keyout "$name.key" -out "$name.crt" "${options[@]}" 2>>openssl.log ||
    die "certificate $name: $(cat openssl.log)"
}

client_certificate() { certificate "$1" "$2" basicConstraints=critical,CA:FALSE extendedKeyUsage=clientAuth; }

server_certificate() {
  certificate "$1" "/CN=$1" basicConstraints=critical,CA:FALSE extendedKeyUsage=serverAuth \
    "subjectAltName=$2"
}

# kubeconfig NAME SUBJECT writes NAME.conf, a login with a certificate of its own:
# audit entries then tell the components apart.
kubeconfig() {
  client_certificate "$1" "$2"
  cat >"$1.conf" <<EOF
apiVersion: v1
kind: Config
current-context: $node
contexts: [{name: $node, context: {cluster: $node, user: $1}}]
clusters:
- name: $node
  cluster:
    server: https://$edge_ip:6443
    certificate-authority-data: $(base64 -w0 ca.crt)
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 "$1.crt")
    client-key-data: $(base64 -w0 "$1.key")
EOF
}

# write_certificates DIR
write_certificates() (
  cd "$1" || exit
  certificate ca /CN=weir-test-ca basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,digitalSignature
  # 10.96.0.1 is the Service `kubernetes`, through which pods come.
  server_certificate kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,\
DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:10.96.0.1,IP:$node_ip,IP:$edge_ip"
  server_certificate kubelet-server "IP:$node_ip,DNS:$node"
  client_certificate kubelet-client /O=system:masters/CN=kube-apiserver
  openssl genrsa -out service-accounts.key 2048 2>>openssl.log
  kubeconfig admin /O=system:masters/CN=admin
  kubeconfig kubelet "/O=system:nodes/CN=system:node:$node"
  kubeconfig kube-controller-manager /CN=system:kube-controller-manager
  kubeconfig kube-scheduler /CN=system:kube-scheduler
  kubeconfig kube-proxy /CN=system:kube-proxy
  kubeconfig coredns /O=system:masters/CN=coredns
  kubeconfig traefik /O=system:masters/CN=traefik
  kubeconfig prometheus /O=system:masters/CN=prometheus
  client_certificate stub-nodes /O=system:masters/CN=stub-nodes
  client_certificate stub-gateway /O=system:masters/CN=stub-gateway
)
