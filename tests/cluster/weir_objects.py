"""Builders of the objects that the stories apply."""
WEB_IMAGE = "localhost/weir-test-web:1"
RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
POD_SECURITY = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
POD_NAME = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}

# What Traefik counts for one revision: its metrics name the Service that a weight belongs to.
TRAEFIK_REQUESTS = 'traefik_service_requests_total{service="$(namespace)-$(service)-http-80@kubernetesgateway"%s}'


def step(weight, hold=None):
    return {"weight": weight, **({"hold": hold} if hold else {})}


def errors_at_most(limit):
    """The objective of the stories, as seen by the gateway."""
    return {
        "name": "errors",
        "severity": "Critical",
        "ratio": {
            "badQuery": TRAEFIK_REQUESTS % ',code=~"5.."',
            "totalQuery": TRAEFIK_REQUESTS % "",
            "atMost": limit,
        },
    }


def canary_policy(namespace, prometheus_url, name="standard", **changes):
    spec = {
        "steps": [step(5, "15s"), step(25, "15s"), step(50, "15s"), step(100)],
        "minReadySeconds": 2,
        "drain": "8s",
        "watch": "30s",
        "sources": [{"name": "prometheus", "prometheus": {"url": prometheus_url}}],
        "objectives": [errors_at_most("5%")],
        "judge": {"interval": "1s", "warmup": "2s"},
    }
    return {
        "apiVersion": "weir.dev/v1alpha1",
        "kind": "CanaryPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**spec, **changes},
    }


def web_container(arguments=("serve",), **environment):
    return {
        "name": "web",
        "image": WEB_IMAGE,
        "imagePullPolicy": "Never",
        "args": list(arguments),
        "env": [POD_NAME] + [{"name": k, "value": str(v)} for k, v in environment.items()],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}},
        "securityContext": RESTRICTED,
    }


def gateway_traffic(namespace):
    parents = [{"name": "web", "namespace": "gateways"}]
    return {"type": "GatewayAPI", "gatewayAPI": {"parentRefs": parents, "hostnames": [host_of(namespace)]}}


def release(namespace, version, name="shop", replicas=4, policy="standard", error_rate=0, traffic=None, **environment):
    if error_rate:
        environment["ERROR_RATE"] = error_rate
    container = web_container(VERSION=version, **environment)
    return {
        "apiVersion": "weir.dev/v1alpha1",
        "kind": "Release",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"securityContext": POD_SECURITY, "containers": [container]},
            },
            "service": {"name": name, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
            "traffic": traffic or gateway_traffic(namespace),
            "strategy": {"type": "Canary", "canary": {"policyRef": {"name": policy}}},
        },
    }


def host_of(namespace):
    return f"{namespace}.example.com"


def caller_pod(namespace, name, arguments):
    """A pod that runs the loader inside the cluster."""
    container = web_container(arguments)
    del container["readinessProbe"], container["ports"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"restartPolicy": "Never", "securityContext": POD_SECURITY, "containers": [container]},
    }
