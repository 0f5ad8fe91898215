// SPDX-License-Identifier: Apache-2.0
#include "compat/upload.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/upload.hpp"
#include "http/multipart.hpp"
#include "http/query.hpp"

namespace unmask::compat {
namespace {

using Complete = std::function<void(Form, http::Responder)>;

/// Counts bytes and, in the end, hands the form on.
class Receiver : public http::BodyReceiver {
 public:
  Receiver(FormRules rules, Complete on_complete)
      : rules_(std::move(rules)), on_complete_(std::move(on_complete)) {}

  Result<void> Write(std::string_view bytes) final {
    body_bytes_ += bytes.size();
    if (body_bytes_ > rules_.max_body)
      return Fail(ErrorCode::kTooLarge,
                  fmt::format("the body is larger than the {} bytes that are accepted", rules_.max_body));
    return Take(bytes);
  }

  void Finish(http::Responder responder) final {
    End();
    if (form_.malformed) {
      form_.file.reset();
      form_.fields.clear();
    }
    on_complete_(std::move(form_), std::move(responder));
  }

 protected:
  virtual Result<void> Take(std::string_view bytes) = 0;
  virtual void End() = 0;

  Result<void> CountText(std::size_t bytes) {
    text_bytes_ += bytes;
    if (text_bytes_ <= rules_.max_text) return {};
    return Fail(ErrorCode::kTooLarge,
                fmt::format("the form's text is longer than the {} bytes that are accepted", rules_.max_text),
                "", kFormTextLimit);
  }

  /// A text field has ended.
  void Keep(const std::string& name, std::string text) {
    if (rules_.twice == FormRules::Twice::kLast && name == rules_.file_field) form_.file.reset();
    const auto known = std::find_if(form_.fields.begin(), form_.fields.end(),
                                    [&](const auto& field) { return field.first == name; });
    if (known == form_.fields.end())
      form_.fields.emplace_back(name, std::move(text));
    else if (rules_.twice == FormRules::Twice::kLast)
      known->second = std::move(text);
  }

  const FormRules rules_;
  Form form_;

 private:
  Complete on_complete_;
  std::uint64_t body_bytes_ = 0;
  std::size_t text_bytes_ = 0;
};

class MultipartForm : public Receiver, private http::MultipartEvents {
 public:
  MultipartForm(FormRules rules, Complete on_complete, const std::filesystem::path& folder,
                const std::string& boundary)
      : Receiver(std::move(rules), std::move(on_complete)),
        folder_(folder),
        parser_(boundary, *this, {.max_parts = rules_.max_parts}) {}

 protected:
  Result<void> Take(std::string_view bytes) override {
    if (form_.malformed) return {};  // the rest is read and dropped, as the client expects to send it
    auto fed = parser_.Feed(bytes);
    if (fed || refused_) return fed;
    form_.malformed = fed.error();
    form_.file.reset();
    arriving_.reset();
    return {};
  }

  void End() override {
    if (form_.malformed) return;
    const bool takes_what_ended = rules_.ended_parts_count && parser_.IsForm();
    const auto finished = parser_.Finish();
    if (!finished && !takes_what_ended) form_.malformed = finished.error();
  }

 private:
  Result<void> OnPart(const http::MultipartPart& part) override {
    name_ = part.name;
    is_text_ = !part.filename;
    text_.clear();
    const bool taken = form_.file && rules_.twice == FormRules::Twice::kFirst;
    if (is_text_ || part.name != rules_.file_field || taken) return {};
    auto media = PrivateFile::Create(folder_);
    if (!media) return Refuse(tl::unexpected(media.error()));
    arriving_.emplace(FormFile{std::move(*media), *part.filename, part.content_type});
    return {};
  }

  Result<void> OnData(std::string_view bytes) override {
    if (arriving_) return Refuse(arriving_->media.Append(bytes));
    if (!is_text_) return {};
    if (auto counted = CountText(bytes.size()); !counted) return Refuse(std::move(counted));
    text_ += bytes;
    return {};
  }

  Result<void> OnPartEnd() override {
    if (is_text_)
      Keep(name_, std::move(text_));
    else if (arriving_)
      form_.file = std::exchange(arriving_, std::nullopt);
    return {};
  }

  /// Remembers that a failure is ours and not the form's.
  Result<void> Refuse(Result<void> result) {
    refused_ = !result;
    return result;
  }

  const std::filesystem::path folder_;
  http::MultipartParser parser_;
  std::string name_;                  ///< of the part that arrives
  bool is_text_ = false;              ///< likewise
  std::string text_;                  ///< likewise
  std::optional<FormFile> arriving_;  ///< likewise, when it is the file that counts
  bool refused_ = false;
};

class UrlencodedForm : public Receiver {
 public:
  using Receiver::Receiver;

 protected:
  Result<void> Take(std::string_view bytes) override {
    if (auto counted = CountText(bytes.size()); !counted) return counted;
    text_ += bytes;
    return {};
  }
  void End() override {
    const auto fields = http::ParseQuery(text_);
    if (!fields) return;
    for (const auto& [name, value] : *fields) Keep(name, value);
  }

 private:
  std::string text_;
};

/// A body that is no form.
class NoForm : public Receiver {
 public:
  NoForm(FormRules rules, Complete on_complete, std::optional<Error> malformed)
      : Receiver(std::move(rules), std::move(on_complete)) {
    form_.malformed = std::move(malformed);
  }

 protected:
  Result<void> Take(std::string_view) override { return {}; }
  void End() override {}
};

}  // namespace

const std::string* Form::Find(std::string_view name) const {
  for (const auto& [key, text] : fields)
    if (key == name) return &text;
  return nullptr;
}

std::string LabelOf(const FormFile& file, const char* standard) {
  auto label = CleanLabel(file.filename);
  return label.empty() ? standard : label;
}

std::unique_ptr<http::BodyReceiver> ReceiveForm(const http::RequestPtr& request,
                                                const std::filesystem::path& folder, FormRules rules,
                                                Complete on_complete) {
  const auto* header = request->headers.Find("Content-Type");
  const auto type = header ? http::ParseMediaType(*header) : std::nullopt;
  if (type && type->type == "application/x-www-form-urlencoded")
    return std::make_unique<UrlencodedForm>(std::move(rules), std::move(on_complete));
  if (!type || type->type != "multipart/form-data")
    return std::make_unique<NoForm>(std::move(rules), std::move(on_complete), std::nullopt);
  const auto boundary = http::ParseBoundary(*header);
  if (!boundary) return std::make_unique<NoForm>(std::move(rules), std::move(on_complete), boundary.error());
  return std::make_unique<MultipartForm>(std::move(rules), std::move(on_complete), folder, *boundary);
}

}  // namespace unmask::compat
