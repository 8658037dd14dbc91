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

    /// <summary>What .NET says on Windows: a sentence in the language of the system, and the code.</summary>
    [TestMethod]
    [DataRow("(0x8007007E)", null, "dotnet add package", "a procedure is missing", DisplayName = "module not found, no file")]
    [DataRow("(0x8007007E)", @"C:\app\torch_cpu.dll", "vc_redist.x64.exe", "dotnet add package", DisplayName = "module not found, file is there")]
    [DataRow("(0x8007007F)", @"C:\app\torch_cpu.dll", "versions are mixed", "dotnet add package", DisplayName = "procedure not found")]
    [DataRow("(0x8007007F)", null, "versions are mixed", "is not among the application's files", DisplayName = "procedure not found, on the path")]
    [DataRow("(0x8007000b)", @"C:\app\torch_cpu.dll", "another processor", "dotnet add package", DisplayName = "bad image")]
    [DataRow("(0x8007045A)", @"C:\app\torch_cpu.dll", "could not start", "dotnet add package", DisplayName = "initialization failed")]
    [DataRow("(0x800705AF)", @"C:\app\torch_cpu.dll", "paging file", "dotnet add package", DisplayName = "paging file too small")]
    [DataRow("(0x80070005)", @"C:\app\torch_cpu.dll", "permissions", "dotnet add package", DisplayName = "access denied")]
    [DataRow("(0x80071234)", @"C:\app\torch_cpu.dll", "The loader reports", "versions are mixed", DisplayName = "a code without an explanation")]
    public void Explain_WindowsCode_NamesTheCause(string code, string? file, string expected, string unexpected)
    {
        var explanation = NativeDiagnosis.Explain("torch_cpu", $"Die DLL torch_cpu oder eine ihrer Abhängigkeiten kann nicht geladen werden. {code}", file);
        Assert.Contains(expected, explanation);
        Assert.DoesNotContain(unexpected, explanation);
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void Explain_FileIsThere_QuotesTheLoader()
        => Assert.Contains(
            "'/app/libtorch_cpu.so' exists, but cannot be loaded. The loader reports: something new",
            NativeDiagnosis.Explain("torch_cpu", "something\nnew\n", "/app/libtorch_cpu.so"));

    [TestMethod]
    public void Explain_OldLibStdCxxInAPlugin_SaysWhatTheLoadContextMustDo()
    {
        var explanation = NativeDiagnosis.Explain("LibTorchSharp", "version `GLIBCXX_3.4.32' not found", "/plugin/libLibTorchSharp.so", context: "Plugin");
        Assert.Contains("load context 'Plugin' loads native files itself", explanation);
        Assert.Contains("return IntPtr.Zero for 'LibTorchSharp'", explanation);
    }

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
