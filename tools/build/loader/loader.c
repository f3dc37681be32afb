/*
 * The first code of the portable executable. The kernel has mapped the whole file; this does what the kernel and a file system with
 * a C library would do besides: it maps the carried dynamic linker, gives it the carried libraries as memory files, and jumps
 * to it. From then on everything is as in any dynamically linked program, and /proc/self/exe is the executable itself.
 *
 * Compiled to position-independent bytes without relocations by compile.sh; make-portable.ts places them and fills in `plan`.
 * No libc: only system calls. It runs before anything can catch an error, so it says what failed and ends with code 127.
 */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef long i64;

#define HIDDEN __attribute__((visibility("hidden")))

struct program_header { u32 type, flags; u64 offset, vaddr, paddr, filesz, memsz, align; };
struct elf_header { unsigned char ident[16]; u16 type, machine; u32 version; u64 entry, phoff, shoff; u32 flags;
                    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx; };

/* Addresses are those the file was linked for. make-portable.ts writes the same layout. */
struct library { u64 image, size, name, path_digits; }; /* path_digits: 0 where no path is made */
struct plan {
  u64 loader_address; /* of this code's first byte */
  u64 headers, header_count;
  u64 entry;
  struct library linker;
  u64 library_count;
  struct library libraries[16];
};

/* Written by make-portable.ts: distance from this code's first byte to the plan. */
extern HIDDEN const i64 plan_distance;
extern HIDDEN const char loader_start[];
extern HIDDEN const char program_entry[];

enum { AT_NULL = 0, AT_PHDR = 3, AT_PHNUM = 5, AT_PAGESZ = 6, AT_BASE = 7, AT_ENTRY = 9 };
enum { PT_LOAD = 1 };
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, MAP_PRIVATE = 2, MAP_FIXED = 16, MAP_ANONYMOUS = 32 };
enum { MFD_CLOEXEC = 1, MFD_EXEC = 16 };

#if defined(__x86_64__)
enum { SYS_write = 1, SYS_close = 3, SYS_mmap = 9, SYS_exit_group = 231, SYS_memfd_create = 319, SYS_access = 21 };
static i64 call(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register u64 r10 __asm__("r10") = d;
  register u64 r8 __asm__("r8") = e;
  register u64 r9 __asm__("r9") = f;
  i64 result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
static int is_proc_missing(const char *path) { return call(SYS_access, (u64)path, 0, 0, 0, 0, 0) != 0; }
/* program_entry keeps rdx, in which the dynamic linker hands its clean-up function to the program. */
__asm__(
  ".section .text.start,\"ax\"\n.globl loader_start\n.hidden loader_start\nloader_start:\n"
  "  xorl %ebp, %ebp\n  movq %rsp, %rdi\n  movq %rsp, %rbx\n  andq $-16, %rsp\n  call load\n  movq %rbx, %rsp\n"
  "  xorl %edx, %edx\n  jmp *%rax\n"
  ".balign 8\n.globl plan_distance\n.hidden plan_distance\nplan_distance: .quad 0\n"
  ".globl program_entry\n.hidden program_entry\nprogram_entry:\n"
  "  movq %rdx, %r12\n  movq %rsp, %rbx\n  andq $-16, %rsp\n  call close_libraries\n  movq %rbx, %rsp\n  movq %r12, %rdx\n  jmp *%rax\n"
  ".text\n");
#elif defined(__aarch64__)
enum { SYS_write = 64, SYS_close = 57, SYS_mmap = 222, SYS_exit_group = 94, SYS_memfd_create = 279, SYS_faccessat = 48 };
static i64 call(i64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register u64 x0 __asm__("x0") = a;
  register u64 x1 __asm__("x1") = b;
  register u64 x2 __asm__("x2") = c;
  register u64 x3 __asm__("x3") = d;
  register u64 x4 __asm__("x4") = e;
  register u64 x5 __asm__("x5") = f;
  register i64 x8 __asm__("x8") = number;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8) : "memory", "cc");
  return (i64)x0;
}
static int is_proc_missing(const char *path) { return call(SYS_faccessat, (u64)-100, (u64)path, 0, 0, 0, 0) != 0; }
/* program_entry keeps x0, in which the dynamic linker hands its clean-up function to the program. */
__asm__(
  ".section .text.start,\"ax\"\n.globl loader_start\n.hidden loader_start\nloader_start:\n"
  "  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  bl load\n  mov x16, x0\n  mov x0, #0\n  br x16\n"
  ".balign 8\n.globl plan_distance\n.hidden plan_distance\nplan_distance: .quad 0\n"
  ".globl program_entry\n.hidden program_entry\nprogram_entry:\n"
  "  mov x19, x0\n  bl close_libraries\n  mov x16, x0\n  mov x0, x19\n  br x16\n"
  ".text\n");
#else
#error "no loader for this architecture"
#endif

static void fail(const char *what) {
  const char *prefix = "bifrost-http: the executable cannot start: ";
  u64 length = 0;
  while (prefix[length]) length++;
  call(SYS_write, 2, (u64)prefix, length, 0, 0, 0);
  length = 0;
  while (what[length]) length++;
  call(SYS_write, 2, (u64)what, length, 0, 0, 0);
  call(SYS_write, 2, (u64)"\n", 1, 0, 0, 0);
  call(SYS_exit_group, 127, 0, 0, 0, 0, 0);
  __builtin_unreachable();
}

static struct plan *find_plan(void) { return (struct plan *)(loader_start + plan_distance); }

static int make_library(const struct library *library, u64 bias) {
  u64 name = library->name + bias;
  /* Kernels before 6.3 do not know MFD_EXEC; later ones may be set to refuse files without it. */
  i64 fd = call(SYS_memfd_create, name, MFD_CLOEXEC | MFD_EXEC, 0, 0, 0, 0);
  if (fd < 0) fd = call(SYS_memfd_create, name, MFD_CLOEXEC, 0, 0, 0, 0);
  if (fd < 0) fail("no memory file for its libraries (memfd_create is refused here)");
  for (u64 done = 0; done < library->size;) {
    i64 written = call(SYS_write, (u64)fd, library->image + bias + done, library->size - done, 0, 0, 0);
    if (written <= 0) fail("no memory for its libraries");
    done += (u64)written;
  }
  return (int)fd;
}

/* The text after "/proc/self/fd/": three digits are room for what is open this early. */
static void write_digits(char *to, int fd) {
  int hundreds = fd / 100, tens = fd / 10 % 10;
  if (hundreds) *to++ = (char)('0' + hundreds);
  if (hundreds || tens) *to++ = (char)('0' + tens);
  *to++ = (char)('0' + fd % 10);
  *to = 0;
}

static int read_digits(const char *from) {
  int fd = 0;
  while (*from) fd = fd * 10 + (*from++ - '0');
  return fd;
}

struct mapped { u64 base, entry; };

/* As the kernel maps an interpreter: one reservation, the segments over it, the rest of the last one zero. */
static struct mapped map_linker(const struct library *linker, u64 bias, u64 page) {
  const struct elf_header *elf = (const struct elf_header *)(linker->image + bias);
  const struct program_header *headers = (const struct program_header *)((const char *)elf + elf->phoff);
  u64 end = 0;
  for (u32 i = 0; i < elf->phnum; i++)
    if (headers[i].type == PT_LOAD && headers[i].vaddr + headers[i].memsz > end) end = headers[i].vaddr + headers[i].memsz;
  i64 base = call(SYS_mmap, 0, (end + page - 1) & ~(page - 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (u64)-1, 0);
  if (base < 0 && base > -4096) fail("no memory for its dynamic linker");
  int fd = make_library(linker, bias);
  for (u32 i = 0; i < elf->phnum; i++) {
    if (headers[i].type != PT_LOAD) continue;
    u64 from = headers[i].vaddr & ~(page - 1), file_end = headers[i].vaddr + headers[i].filesz;
    u32 flags = headers[i].flags;
    u64 protection = (flags & 4 ? PROT_READ : 0) | (flags & 2 ? PROT_WRITE : 0) | (flags & 1 ? PROT_EXEC : 0);
    u64 offset = headers[i].offset & ~(page - 1);
    i64 mapped = call(SYS_mmap, (u64)base + from, file_end - from, protection, MAP_PRIVATE | MAP_FIXED, (u64)fd, offset);
    if (mapped < 0 && mapped > -4096) fail("its dynamic linker may not be executed here");
    if (flags & 2) {
      volatile char *zero = (volatile char *)base + file_end;
      while ((u64)zero & (page - 1)) *zero++ = 0;
    }
  }
  call(SYS_close, (u64)fd, 0, 0, 0, 0, 0);
  return (struct mapped){ (u64)base, (u64)base + elf->entry };
}

/* `stack` is as the kernel left it: argc, argv, environment, auxiliary vector. Returns where to jump. */
HIDDEN __attribute__((used)) u64 load(u64 *stack) {
  struct plan *plan = find_plan();
  u64 bias = (u64)loader_start - plan->loader_address;
  u64 *vector = stack + 1 + stack[0] + 1;
  while (*vector) vector++;
  vector++;
  u64 page = 4096;
  for (u64 *pair = vector; pair[0] != AT_NULL; pair += 2) if (pair[0] == AT_PAGESZ) page = pair[1];
  if (is_proc_missing("/proc/self/fd")) fail("/proc is not mounted; it is needed to load the libraries that the executable carries");
  for (u64 i = 0; i < plan->library_count; i++) {
    int fd = make_library(&plan->libraries[i], bias);
    if (fd > 999) fail("too many open files were inherited");
    write_digits((char *)(plan->libraries[i].path_digits + bias), fd);
  }
  struct mapped linker = map_linker(&plan->linker, bias, page);
  for (u64 *pair = vector; pair[0] != AT_NULL; pair += 2) {
    if (pair[0] == AT_PHDR) pair[1] = plan->headers + bias;
    if (pair[0] == AT_PHNUM) pair[1] = plan->header_count;
    if (pair[0] == AT_BASE) pair[1] = linker.base;
    if (pair[0] == AT_ENTRY) pair[1] = (u64)program_entry;
  }
  return linker.entry;
}

/* The libraries are loaded: their files are not needed any more. Returns the program's own entry. */
HIDDEN __attribute__((used)) u64 close_libraries(void) {
  struct plan *plan = find_plan();
  u64 bias = (u64)loader_start - plan->loader_address;
  for (u64 i = 0; i < plan->library_count; i++)
    call(SYS_close, (u64)read_digits((const char *)(plan->libraries[i].path_digits + bias)), 0, 0, 0, 0, 0);
  return plan->entry + bias;
}
