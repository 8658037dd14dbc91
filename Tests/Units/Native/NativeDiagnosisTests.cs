using MLExtensions.Native;

namespace MLExtensions.Tests.Native;

/// <summary>What glibc's and musl's loaders say in earnest, and what a user should read.</summary>
[TestClass]
public sealed class NativeDiagnosisTests
{
    [TestMethod]
    [DataRow(
        "torch_cpu",
        "/app/libtorch_cpu.so: cannot open shared object file: No such file or directory\nlibtorch_cpu.so: cannot open shared object file: No such file or directory\n/app/torch_cpu: cannot open shared object file: No such file or directory\ntorch_cpu.so: cannot open shared object file: No such file or directory\nlibtorch_cpu: cannot open shared object file: No such file or directory\ntorch_cpu: cannot open shared object file: No such file or directory",
        "dotnet add package",
        DisplayName = "no package")]
    [DataRow(
        "torch_cpu",
        "libgomp.so.1: cannot open shared object file: No such file or directory\n/app/libtorch_cpu: cannot open shared object file: No such file or directory",
        "'libgomp.so.1', which is not installed (`apt-get install libgomp1`",
        DisplayName = "no OpenMP")]
    [DataRow(
        "LibTorchSharp",
        "libtorch.so: cannot open shared object file: No such file or directory\n/app/LibTorchSharp.so: cannot open shared object file: No such file or directory",
        "dotnet add package",
        DisplayName = "TorchSharp without libtorch")]
    [DataRow(
        "LibTorchSharp",
        "/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /app/libLibTorchSharp.so)\nlibLibTorchSharp.so: cannot open shared object file: No such file or directory",
        "needs GLIBCXX_3.4.32 of libstdc++",
        DisplayName = "old libstdc++")]
    [DataRow(
        "torch_cpu",
        "/lib/x86_64-linux-gnu/libm.so.6: version `GLIBC_2.29' not found (required by /app/libtorch_cpu.so)",
        "needs GLIBC_2.29 of the GNU C library",
        DisplayName = "old glibc")]
    [DataRow(
        "torch_cpu",
        "Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /app/libtorch_cpu.so)",
        "Alpine",
        DisplayName = "musl")]
    [DataRow(
        "torch_cpu",
        "/app/libtorch_cpu.so: failed to map segment from shared object",
        "'/app/libtorch_cpu.so' cannot be mapped as code",
        DisplayName = "noexec")]
    [DataRow("torch_cpu", "/app/libtorch_cpu.so: file too short", "'/app/libtorch_cpu.so' is damaged", DisplayName = "cut short")]
    [DataRow(
        "LibTorchSharp",
        "/app/libLibTorchSharp.so: undefined symbol: _ZN2at4_ops3fooE",
        "lacks '_ZN2at4_ops3fooE'",
        DisplayName = "another libtorch")]
    public void Explain_NamesTheCause(string library, string loaderText, string expected)
        => Assert.Contains(expected, NativeDiagnosis.Explain(library, loaderText));

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void Explain_FileIsThere_QuotesTheLoader()
        => Assert.Contains(
            "'/app/libtorch_cpu.so' exists, but cannot be loaded. The loader reports: something new",
            NativeDiagnosis.Explain("torch_cpu", "something\nnew\n", "/app/libtorch_cpu.so"));

    [TestMethod]
    public void Explain_ShimIsThereButLibTorchIsNot_NamesThePackage()
        => Assert.Contains(
            NativePackages.Advice,
            NativeDiagnosis.Explain("LibTorchSharp", "libtorch.so: cannot open shared object file: No such file or directory", "/app/libLibTorchSharp.so"));

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void Advice_IsTheCommandToType()
    {
        Assert.Contains("`dotnet add package libtorch-cpu-linux-x64 --version 2.10.0`", NativePackages.Advice);
        Assert.Contains("`dotnet add package TorchSharp-cuda-linux --version 0.107.0`", NativePackages.Advice);
    }
}
