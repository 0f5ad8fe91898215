// SPDX-License-Identifier: Apache-2.0
#include "model/keras/hdf5_file.hpp"

#include <hdf5.h>

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.hpp"
#include "model/keras/global_heap.hpp"

namespace unmask::keras {
namespace {

static_assert(sizeof(hid_t) == sizeof(std::int64_t));

constexpr std::size_t kMaxTexts = 100'000;       // names of one attribute; large networks have some thousands
constexpr int kMaxRank = 8;                      // Keras' kernels have at most 5
constexpr std::uint64_t kMostDeflated = 1032;    // no stream of RFC 1951 expands further
constexpr std::uint64_t kSmallChunk = 64 << 20;  // bytes that a chunk may have whatever its data set's size

/// An identifier of the library, given back at the end.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close, const std::string& what) : id_(id), close_(close) {
    if (id_ < 0) throw BadFile(what);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t get() const { return id_; }
  hid_t release() { return std::exchange(id_, -1); }

 private:
  hid_t id_;
  Close close_;
};

/// The library tells its callers by return values alone: no words on stderr, no plug-ins from the disk.
void Quieten() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

Handle Access() { return {H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "HDF5 cannot be used"}; }

std::string Shown(const std::string& path) { return path.empty() ? "the file's root" : "'" + path + "'"; }

/// Follows a path link by link. False when a part is absent; throws when a link is no hard one.
bool FollowsHardLinks(hid_t file, const std::string& path) {
  std::string reached;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = std::string_view(path).substr(begin, end - begin);
    if (name.empty() || name == "." || path.find('\0') != std::string::npos)
      throw BadFile(fmt::format("the name '{}' is no path of an HDF5 file", path));
    reached += (reached.empty() ? "" : "/") + std::string(name);
    H5L_info_t info;
    if (H5Lget_info(file, reached.c_str(), &info, H5P_DEFAULT) < 0) return false;
    if (info.type != H5L_TYPE_HARD)
      throw BadFile(fmt::format("'{}' is a link to elsewhere (expected data in the file itself)", reached));
    if (end + 1 < path.size()) {  // what is not a group has nothing below it
      H5O_info_t object;
      if (H5Oget_info_by_name(file, reached.c_str(), &object, H5P_DEFAULT) < 0) return false;
      if (object.type != H5O_TYPE_GROUP) return false;
    }
    begin = end + 1;
  }
  return true;
}

Handle OpenObject(hid_t file, const std::string& path) {
  if (path.empty()) return {H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "the file has no root group"};
  if (!FollowsHardLinks(file, path)) throw BadFile(fmt::format("the file has no '{}'", path));
  return {H5Oopen(file, path.c_str(), H5P_DEFAULT), H5Oclose, fmt::format("'{}' cannot be opened", path)};
}

std::vector<hsize_t> ShapeOf(hid_t space, const std::string& what) {
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > kMaxRank || H5Sget_simple_extent_type(space) == H5S_NULL)
    throw BadFile(fmt::format("{} has {} dimensions (expected 0 to {})", what, rank, kMaxRank));
  std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
  if (rank > 0 && H5Sget_simple_extent_dims(space, shape.data(), nullptr) != rank)
    throw BadFile(what + " has no readable shape");
  return shape;
}

/// The product, or nothing above `limit`.
std::uint64_t CountOf(const std::vector<hsize_t>& shape, std::uint64_t limit, const std::string& what) {
  std::uint64_t count = 1;
  for (const hsize_t size : shape) {
    if (size != 0 && count > limit / size)
      throw BadFile(fmt::format("{} has the shape [{}] (expected at most {} values)", what,
                                fmt::join(shape, ", "), limit));
    count *= size;
  }
  return count;
}

std::vector<std::string> VariableTexts(hid_t attribute, hid_t type, std::size_t count, hid_t space,
                                       const std::string& what) {
  std::vector<char*> pointers(count, nullptr);
  if (H5Aread(attribute, type, pointers.data()) < 0) throw BadFile(what + " cannot be read");
  std::vector<std::string> texts;
  std::size_t total = 0;
  for (const char* text : pointers) {
    const std::string_view view = text == nullptr ? std::string_view() : std::string_view(text);
    total += view.size();
    if (total <= Hdf5File::kMaxText) texts.emplace_back(view);
  }
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
  if (total > Hdf5File::kMaxText) throw BadFile(what + " is too long");
  return texts;
}

std::vector<std::string> FixedTexts(hid_t attribute, hid_t type, std::size_t count, const std::string& what) {
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > Hdf5File::kMaxText || count * size > Hdf5File::kMaxText)
    throw BadFile(fmt::format("{} has {} texts of {} bytes (expected at most {} bytes)", what, count, size,
                              Hdf5File::kMaxText));
  std::string bytes(count * size, '\0');
  if (count > 0 && H5Aread(attribute, type, bytes.data()) < 0) throw BadFile(what + " cannot be read");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view cell = std::string_view(bytes).substr(i * size, size);
    texts.emplace_back(cell.substr(0, cell.find('\0')));
  }
  return texts;
}

std::vector<std::string> AttributeTexts(hid_t object, const std::string& name, const std::string& path) {
  const std::string what = fmt::format("attribute '{}' of {}", name, Shown(path));
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, what + " cannot be opened");
  const Handle stored(H5Aget_type(attribute.get()), H5Tclose, what + " has no type");
  const Handle space(H5Aget_space(attribute.get()), H5Sclose, what + " has no shape");
  const std::size_t count = CountOf(ShapeOf(space.get(), what), kMaxTexts, what);
  // An empty list of Python has no texts from which a type could come: it is stored as numbers.
  if (count == 0) return {};
  if (H5Tget_class(stored.get()) != H5T_STRING) throw BadFile(what + " is not text");
  const htri_t variable = H5Tis_variable_str(stored.get());
  if (variable < 0) throw BadFile(what + " is not text");
  return variable > 0 ? VariableTexts(attribute.get(), stored.get(), count, space.get(), what)
                      : FixedTexts(attribute.get(), stored.get(), count, what);
}

void CheckFilters(hid_t creation, const std::string& what, bool& deflated) {
  const int filters = H5Pget_nfilters(creation);
  if (filters < 0) throw BadFile(what + " has unreadable filters");
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, nullptr);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE)
      throw BadFile(fmt::format("{} is packed with filter {} (expected gzip, shuffle or none)", what, filter),
                    "save the model again without compression");
    if (filter == H5Z_FILTER_DEFLATE) {
      if (deflated) throw BadFile(what + " is packed with gzip twice");
      deflated = true;
    }
  }
}

/// Throws unless the bytes in the file can hold `bytes` of values.
void CheckStorage(hid_t dataset, std::uint64_t bytes, const std::string& what) {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose, what + " has no properties");
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
    throw BadFile(what + " is put together from other data sets (expected its own data)");
  if (H5Pget_external_count(creation.get()) != 0)
    throw BadFile(what + " keeps its data in another file (expected it in the file itself)");
  bool deflated = false;
  CheckFilters(creation.get(), what, deflated);
  if (layout == H5D_CHUNKED) {
    std::vector<hsize_t> chunk(kMaxRank + 1);
    const int rank = H5Pget_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
    if (rank < 0 || rank > kMaxRank) throw BadFile(what + " has unreadable chunks");
    chunk.resize(static_cast<std::size_t>(rank));
    CountOf(chunk, std::max(bytes, kSmallChunk), what + " in chunks");
  }
  const std::uint64_t stored = H5Dget_storage_size(dataset);
  if (bytes > 0 && bytes / (deflated ? kMostDeflated : 1) > stored)
    throw BadFile(fmt::format("{} needs {} bytes (found {} in the file)", what, bytes, stored),
                  "the file is incomplete: save or download it again");
}

}  // namespace

Hdf5File Hdf5File::Open(const std::filesystem::path& path) {
  Quieten();
  const auto content = MappedFile::Open(path);
  if (!content || !LooksLikeHdf5(content->bytes())) throw BadFile("it is no complete HDF5 file");
  RefuseEndlessHeaps(content->bytes());
  const Handle access = Access();
  H5Pset_fapl_sec2(access.get());  // whatever HDF5_DRIVER says
  H5Pset_file_locking(access.get(), false, true);
  return Hdf5File(
      Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose, "it is no complete HDF5 file")
          .release());
}

Hdf5File Hdf5File::FromBytes(std::string_view content) {
  Quieten();
  const Handle access = Access();
  // The library copies the bytes, although it takes them as its own.
  if (!LooksLikeHdf5(content) || H5Pset_fapl_core(access.get(), 1 << 20, false) < 0 ||
      H5Pset_file_image(access.get(), const_cast<char*>(content.data()), content.size()) < 0)
    throw BadFile("it is no HDF5 file");
  RefuseEndlessHeaps(content);
  return Hdf5File(
      Handle(H5Fopen("model.h5", H5F_ACC_RDONLY, access.get()), H5Fclose, "it is no complete HDF5 file")
          .release());
}

Hdf5File::Hdf5File(Hdf5File&& other) noexcept
    : WeightFile(std::move(other)),
      file_(std::exchange(other.file_, -1)),
      numbers_read_(other.numbers_read_) {}

Hdf5File::~Hdf5File() {
  if (file_ >= 0) H5Fclose(file_);
}

bool Hdf5File::Has(const std::string& path) const { return FollowsHardLinks(file_, path); }

bool Hdf5File::HasAttribute(const std::string& path, const std::string& name) const {
  return H5Aexists(OpenObject(file_, path).get(), name.c_str()) > 0;
}

std::string Hdf5File::Text(const std::string& path, const std::string& attribute) const {
  const auto texts = AttributeTexts(OpenObject(file_, path).get(), attribute, path);
  if (texts.size() != 1)
    throw BadFile(fmt::format("attribute '{}' of {} has {} texts (expected one)", attribute, Shown(path),
                              texts.size()));
  return texts[0];
}

std::vector<std::string> Hdf5File::Texts(const std::string& path, const std::string& attribute) const {
  const Handle object = OpenObject(file_, path);
  if (H5Aexists(object.get(), attribute.c_str()) > 0) return AttributeTexts(object.get(), attribute, path);
  std::vector<std::string> joined;
  for (int part = 0;; ++part) {
    const std::string name = attribute + std::to_string(part);
    if (H5Aexists(object.get(), name.c_str()) <= 0) break;
    for (std::string& text : AttributeTexts(object.get(), name, path)) joined.push_back(std::move(text));
    if (joined.size() > kMaxTexts) throw BadFile(fmt::format("{} has too many {}", Shown(path), attribute));
  }
  if (joined.empty()) throw BadFile(fmt::format("{} has no attribute '{}'", Shown(path), attribute));
  return joined;
}

Array Hdf5File::Numbers(const std::string& path) const {
  const std::string what = fmt::format("data set '{}'", path);
  const Handle dataset = OpenObject(file_, path);
  if (H5Iget_type(dataset.get()) != H5I_DATASET) throw BadFile(fmt::format("'{}' is no data set", path));
  const Handle type(H5Dget_type(dataset.get()), H5Tclose, what + " has no type");
  const H5T_class_t kind = H5Tget_class(type.get());
  const std::size_t size = H5Tget_size(type.get());
  if ((kind != H5T_FLOAT && kind != H5T_INTEGER) || size == 0 || size > 8)
    throw BadFile(what + " does not hold numbers of at most 8 bytes");
  const Handle space(H5Dget_space(dataset.get()), H5Sclose, what + " has no shape");
  const auto shape = ShapeOf(space.get(), what);
  const std::uint64_t count = CountOf(shape, kMaxNumbers - numbers_read_, what);
  CheckStorage(dataset.get(), count * size, what);
  numbers_read_ += count;
  Array array{.shape = {shape.begin(), shape.end()}, .values = std::vector<float>(count)};
  if (count > 0 &&
      H5Dread(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) < 0)
    throw BadFile(what + " cannot be read", "the file is damaged: save or download it again");
  return array;
}

bool LooksLikeHdf5(std::string_view first_bytes) { return first_bytes.starts_with("\x89HDF\r\n\x1a\n"); }

}  // namespace unmask::keras
