#include "bootstrap/unique_id.h"

#include "bootstrap/id_content.h"
#include "bootstrap/outcome.h"
#include "bootstrap/service.h"
#include "config/settings.h"

namespace amalgam::bootstrap {
namespace {

constexpr std::chrono::seconds kServiceAnswers{10};  // the service thread never blocks; this bounds a bug

Status open_root_and_wait(Service& service, const Key& key) {
  auto outcome = std::make_shared<Outcome<bool>>();
  service.loop().post([&service, key, outcome] {
    Status status = service.open_root(key, nullptr);
    outcome->set(status.ok() ? Result<bool>(true) : Result<bool>(status));
  });
  auto answer = outcome->wait(Clock::now() + kServiceAnswers, nullptr);
  if (!answer) return Status(Code::kInternal, "the service thread does not answer");
  return answer->ok() ? Status() : answer->status();
}

Result<UniqueId> create_with_root() {
  Result<Service*> service = Service::get();
  if (!service) return service.status();
  IdContent content;
  AMALGAM_TRY(fill_random(content.secret));
  content.addresses = (*service)->listener_addresses();
  AMALGAM_TRY(open_root_and_wait(**service, content.secret));
  return encode_id(content);
}

}  // namespace

Result<UniqueId> create_unique_id() {
  const std::string comm_id = config::lookup("NCCL_COMM_ID");
  if (comm_id.empty()) return create_with_root();
  Result<std::string> secret = configured_secret();
  if (!secret) return secret.status();
  Result<IdContent> content = content_from_comm_id(comm_id, *secret);
  if (!content) return content.status();
  return encode_id(*content);
}

Status check_unique_id(const UniqueId& id) {
  Result<IdContent> content = decode_id(id);
  return content ? Status() : content.status();
}

}  // namespace amalgam::bootstrap
