#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "base/base64.h"
#include "kube/cluster_config.h"
#include "kube/exec_config.h"
#include "kube/token_file.h"
#include "kube/yaml_reader.h"
#include "net/url.h"

namespace weir {
namespace {

constexpr std::size_t kMaxKubeconfigBytes = 4U << 20U;
constexpr std::size_t kMaxCertificateBytes = 1U << 20U;

struct File {
  YamlReader root;
  std::filesystem::path folder;  // relative paths in the file begin here
};

// A named entry and the file that it stands in.
struct Entry {
  YamlReader body;
  std::filesystem::path folder;
};

Result<std::vector<File>> load_files(const std::string& list) {
  std::vector<File> files;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const auto end = std::min(list.find(':', begin), list.size());
    const auto path = list.substr(begin, end - begin);
    begin = end + 1;
    if (path.empty()) continue;
    auto text = read_text_file(path, kMaxKubeconfigBytes);
    if (!text && text.error().kind == ErrorKind::NotFound) continue;  // as kubectl does
    if (!text) return std::move(text).error();
    ASSIGN_OR_RETURN(auto root, YamlReader::parse(*text, path + ":"));
    files.push_back({std::move(root), std::filesystem::path(path).parent_path()});
  }
  if (files.empty()) return Error{ErrorKind::NotFound, fmt::format("no kubeconfig at {}", list)};
  return files;
}

// Entries are [{name: …, <member>: {…}}]; the first of a name wins, over all files.
Result<Entry> find_entry(const std::vector<File>& files, const std::string& section,
                         const std::string& member, const std::string& name,
                         const YamlReader& asked_by) {
  for (const File& file : files) {
    ASSIGN_OR_RETURN(const auto entries, file.root.at(section).list());
    for (const YamlReader& entry : entries) {
      ASSIGN_OR_RETURN(const auto entry_name, entry.at("name").text());
      if (entry_name == name) return Entry{entry.at(member), file.folder};
    }
  }
  return asked_by.invalid(fmt::format("there is no \"{}\" in {}", name, section));
}

Result<void> refuse(const YamlReader& body, std::initializer_list<const char*> fields) {
  for (const char* field : fields) {
    const auto found = body.at(field);
    if (found.exists()) return found.invalid("not supported yet");
  }
  return {};
}

// The content of `field`-data, or of the file that `field` names; "" when there is neither.
Result<std::string> data_or_file(const Entry& entry, const std::string& field) {
  const auto inline_field = entry.body.at(field + "-data");
  ASSIGN_OR_RETURN(const auto encoded, inline_field.text());
  if (!encoded.empty()) {
    auto decoded = decode_base64(encoded);
    if (!decoded) return inline_field.invalid("is not base64");
    if (decoded->find("-----BEGIN ") == std::string::npos)
      return inline_field.invalid("holds no PEM text");
    return *std::move(decoded);
  }
  const auto file_field = entry.body.at(field);
  ASSIGN_OR_RETURN(const auto path, file_field.text());
  if (path.empty()) return std::string();
  auto text = read_text_file(entry.folder / path, kMaxCertificateBytes);
  if (!text) return file_field.invalid(text.error().message);
  if (text->find("-----BEGIN ") == std::string::npos)
    return file_field.invalid("the file holds no PEM text");
  return text;
}

Result<void> read_cluster(const Entry& cluster, HttpClientOptions& http) {
  const auto server = cluster.body.at("server");
  ASSIGN_OR_RETURN(const auto url, server.text());
  if (url.empty()) return server.invalid("is missing");
  auto parsed = parse_url(url);
  if (!parsed) return server.invalid(parsed.error().message);
  http.server = *std::move(parsed);
  ASSIGN_OR_RETURN(http.tls.server_name, cluster.body.at("tls-server-name").text());
  const auto insecure = cluster.body.at("insecure-skip-tls-verify");
  ASSIGN_OR_RETURN(http.tls.insecure_skip_verify, insecure.flag());
  ASSIGN_OR_RETURN(http.tls.ca_pem, data_or_file(cluster, "certificate-authority"));
  if (http.tls.insecure_skip_verify && !http.tls.ca_pem.empty())
    return insecure.invalid("must not be true where a certificate-authority is given");
  return {};
}

// That of the cluster goes before the environment's.
Result<void> read_proxy(const Entry& cluster, HttpClientOptions& http) {
  const auto field = cluster.body.at("proxy-url");
  ASSIGN_OR_RETURN(const auto url, field.text());
  if (!url.empty()) {
    auto proxy = parse_proxy(url);
    if (!proxy) return field.invalid(proxy.error().message);
    http.proxy = *std::move(proxy);
    return {};
  }
  ASSIGN_OR_RETURN(http.proxy, proxy_from_environment(http.server, [](const char* name) {
                     const char* value = std::getenv(name);
                     return std::string(value == nullptr ? "" : value);
                   }));
  return {};
}

Result<void> read_user(const Entry& user, const Entry& cluster, const Clock& clock,
                       HttpClientOptions& http) {
  if (auto refused = refuse(user.body, {"auth-provider", "username", "password", "as", "as-uid",
                                        "as-groups", "as-user-extra"});
      !refused)
    return refused;
  ASSIGN_OR_RETURN(http.tls.client_cert_pem, data_or_file(user, "client-certificate"));
  ASSIGN_OR_RETURN(http.tls.client_key_pem, data_or_file(user, "client-key"));
  if (http.tls.client_cert_pem.empty() != http.tls.client_key_pem.empty())
    return user.body.invalid("client-certificate and client-key must be given together");
  ASSIGN_OR_RETURN(const auto token, user.body.at("token").text());
  const auto file_field = user.body.at("tokenFile");
  ASSIGN_OR_RETURN(const auto path, file_field.text());
  if (const auto exec = user.body.at("exec"); exec.exists()) {
    if (!token.empty() || !path.empty()) return exec.invalid("must not stand beside a token");
    ASSIGN_OR_RETURN(auto plugin, read_exec(exec, user.folder, cluster.body, http));
    http.credentials = make_exec_credentials(std::move(plugin), clock);
  } else if (!path.empty()) {
    const std::optional<std::string> fallback = token.empty() ? std::nullopt : std::optional(token);
    auto file = std::make_shared<TokenFile>(user.folder / path, fallback, clock);
    if (!file->token()) return file_field.invalid("no token can be read there");
    http.bearer_token = [file] { return file->token(); };
  } else if (!token.empty()) {
    http.bearer_token = [token] { return std::optional(token); };
  }
  return {};
}

Result<std::string> choose_context(const std::vector<File>& files, const std::string& asked) {
  if (!asked.empty()) return asked;
  for (const File& file : files) {
    ASSIGN_OR_RETURN(auto name, file.root.at("current-context").text());
    if (!name.empty()) return name;
  }
  return files.front()
      .root.at("current-context")
      .invalid("is missing, and no context was asked for");
}

}  // namespace

Result<ClusterConfig> load_kubeconfig(const std::string& path, const std::string& context,
                                      const Clock& clock) {
  ASSIGN_OR_RETURN(const auto files, load_files(path));
  ASSIGN_OR_RETURN(const auto name, choose_context(files, context));
  const YamlReader& first = files.front().root;
  const auto asked_by = first.at(context.empty() ? "current-context" : "contexts");
  ASSIGN_OR_RETURN(const auto chosen, find_entry(files, "contexts", "context", name, asked_by));
  ClusterConfig config;
  ASSIGN_OR_RETURN(const auto ns, chosen.body.at("namespace").text());
  if (!ns.empty()) config.ns = ns;
  const auto cluster_field = chosen.body.at("cluster");
  ASSIGN_OR_RETURN(const auto cluster_name, cluster_field.text());
  if (cluster_name.empty()) return cluster_field.invalid("is missing");
  ASSIGN_OR_RETURN(const auto cluster,
                   find_entry(files, "clusters", "cluster", cluster_name, cluster_field));
  if (auto read = read_cluster(cluster, config.http); !read) return std::move(read).error();
  if (auto read = read_proxy(cluster, config.http); !read) return std::move(read).error();
  const auto user_field = chosen.body.at("user");
  ASSIGN_OR_RETURN(const auto user_name, user_field.text());
  if (user_name.empty()) return config;  // anonymous
  ASSIGN_OR_RETURN(const auto user, find_entry(files, "users", "user", user_name, user_field));
  if (auto read = read_user(user, cluster, clock, config.http); !read)
    return std::move(read).error();
  return config;
}

}  // namespace weir
