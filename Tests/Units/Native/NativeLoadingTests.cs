using System.Runtime.CompilerServices;
using MLExtensions.Native;
using TorchSharp;

namespace MLExtensions.Tests.Native;

/// <summary>Each way of loading, and of failing, in a process of its own.</summary>
[TestClass]
[OSCondition(OperatingSystems.Linux)]
public sealed class NativeLoadingTests
{
    private const string Shim = "libLibTorchSharp.so";
    private static readonly string NativeFolder = Path.GetDirectoryName(NativeFiles.Find("libtorch_cpu.so", typeof(torch).Assembly))!;
    private string _folder = "";

    [TestInitialize]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("mlextensions-test-").FullName;

    [TestCleanup]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow("memory")]
    [DataRow("file")]
    public void Copy_LoadsInEitherWay(string way)
    {
        var environment = new Dictionary<string, string?> { ["TMPDIR"] = _folder };
        ChildResult result = ChildProcess.Run(LoadCopy, [way], environment).AssertSuccess();
        Assert.AreEqual($"{way} 6", result.Output.Trim());
        Assert.IsEmpty(Directory.GetFileSystemEntries(_folder, "mlextensions-*"));
    }

    [TestMethod]
    public void InitializeNotCalled_TorchSharpComputes()
        => Assert.AreEqual("6", ChildProcess.Run(UseTorchSharpAlone).AssertSuccess().Output.Trim());

    [TestMethod]
    public void Switch_TurnsTheCopyOff()
    {
        if (OldLibStdCxx.Way is null)
            Assert.Inconclusive("This machine's libstdc++ is new enough: no copy is made.");
        var output = ChildProcess.Run(SwitchOff).AssertSuccess().Output;
        Assert.Contains(OldLibStdCxx.Version, output);
        Assert.Contains("'MLExtensions.NoNativePatch' is on", output);
        Assert.AreEqual(1, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, output);
    }

    [TestMethod]
    public void NoNativeFiles_MessageNamesThePackage()
    {
        var program = CopyManagedFiles();
        var output = ChildProcess.Run(PrintFailure, [], environment: null, program).AssertSuccess().Output;
        Assert.Contains("`dotnet add package libtorch-cpu-linux-x64 --version 2.10.0`", output);
        Assert.AreEqual(1, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, output);
    }

    [TestMethod]
    public void LibTorchDir_ReplacesThePackage()
    {
        var program = CopyManagedFiles();
        File.Copy(NativeFiles.Find(Shim, typeof(torch).Assembly)!, Path.Combine(_folder, Shim));
        var environment = new Dictionary<string, string?> { ["LIBTORCH_DIR"] = NativeFolder };
        ChildResult result = ChildProcess.Run(InitializeAndCompute, [], environment, program).AssertSuccess();
        Assert.AreEqual("6", result.Output.Trim());
    }

    [TestMethod]
    public void LibTorchDir_NoLibTorchThere_MessageNamesTheFile()
    {
        var program = CopyManagedFiles();
        var environment = new Dictionary<string, string?> { ["LIBTORCH_DIR"] = _folder };
        string output = ChildProcess.Run(PrintFailure, [], environment, program).AssertSuccess().Output;
        Assert.Contains($"LIBTORCH_DIR is '{_folder}', but '{_folder}/libc10.so' does not exist", output);
    }

    [TestMethod]
    public void LibTorchDir_ApplicationHasAnother_MessageSaysSo()
    {
        var environment = new Dictionary<string, string?> { ["LIBTORCH_DIR"] = _folder };
        string output = ChildProcess.Run(PrintFailure, [], environment).AssertSuccess().Output;
        Assert.Contains($"the application has its own libtorch, '{NativeFolder}/libtorch_cpu.so'", output);
    }

    [TestMethod]
    public void PluginWithItsOwnLibTorch_MessageNamesBoth()
    {
        foreach (var assembly in (string[])["MLExtensions.Transforms.dll", "TorchSharp.dll"])
            File.Copy(Path.Combine(AppContext.BaseDirectory, assembly), Path.Combine(_folder, assembly));
        File.WriteAllBytes(Path.Combine(_folder, "libtorch_cpu.so"), []);
        var output = ChildProcess.Run(LoadPlugin, _folder).AssertSuccess().Output;
        Assert.Contains($"'{NativeFolder}/libtorch_cpu.so', and TorchSharp in the load context 'Plugin' would load a second copy, '{_folder}/libtorch_cpu.so'", output);
    }

    [TestMethod]
    public void PluginThatLinksTheSameLibTorch_Computes()
    {
        foreach (var assembly in (string[])["MLExtensions.Transforms.dll", "TorchSharp.dll"])
            File.Copy(Path.Combine(AppContext.BaseDirectory, assembly), Path.Combine(_folder, assembly));
        // Without the shim: what happens with that is another question on systems with an old libstdc++.
        foreach (var file in Directory.GetFiles(NativeFolder).Where(file => Path.GetFileName(file) != Shim))
            File.CreateSymbolicLink(Path.Combine(_folder, Path.GetFileName(file)), file);
        Assert.AreEqual("initialized", ChildProcess.Run(LoadPlugin, _folder).AssertSuccess().Output.Trim());
    }

    /// <summary>The application has loaded libtorch; a plug-in has assemblies and native files of its own.</summary>
    private static void LoadPlugin(string[] args)
    {
        TorchRuntime.Initialize();
        var plugin = new PluginContext(args[0]).LoadFromAssemblyPath(Path.Combine(args[0], "MLExtensions.Transforms.dll"));
        var initialize = plugin.GetType(typeof(TorchRuntime).FullName!)!.GetMethod(nameof(TorchRuntime.Initialize))!;
        Assert.AreNotSame(typeof(TorchRuntime).Assembly, plugin);
        try
        {
            initialize.Invoke(null, null);
            Console.WriteLine("initialized");
        }
        catch (System.Reflection.TargetInvocationException e)
        {
            Console.WriteLine(e.InnerException!.Message);
        }
    }

    private sealed class PluginContext(string folder) : System.Runtime.Loader.AssemblyLoadContext("Plugin")
    {
        protected override System.Reflection.Assembly? Load(System.Reflection.AssemblyName name) =>
            Path.Combine(folder, name.Name + ".dll") is var path && File.Exists(path) ? LoadFromAssemblyPath(path) : null;

        protected override nint LoadUnmanagedDll(string name) =>
            Path.Combine(folder, $"lib{name}.so") is var path && File.Exists(path) ? LoadUnmanagedDllFromPath(path) : 0;
    }

    private static void LoadCopy(string[] args)
    {
        LibraryImage.MayUseMemory = args[0] == "memory";
        var path = NativeFiles.Find(Shim, typeof(torch).Assembly)!;
        var image = File.ReadAllBytes(path);
        TorchRuntime.Initialize();
        if (OldLibStdCxx.Way is null) // a machine that needs no copy: the loading alone
        {
            ElfVersionNeeds.Weaken(image, OldLibStdCxx.Version);
            LibraryImage.TryLoad(image, Shim, out _, out var way);
            Console.Write($"{way} ");
        }
        else
        {
            Console.Write($"{OldLibStdCxx.Way} ");
        }
        PrintSum();
    }

    private static void UseTorchSharpAlone(string[] args)
    {
        RuntimeHelpers.RunModuleConstructor(typeof(TorchRuntime).Module.ModuleHandle); // as any use of the library does
        PrintSum();
    }

    private static void SwitchOff(string[] args)
    {
        AppContext.SetSwitch(OldLibStdCxx.OffSwitch, true);
        PrintFailure(args);
    }

    private static void PrintFailure(string[] args)
        => Console.WriteLine(Assert.ThrowsExactly<TorchNotAvailableException>(TorchRuntime.Initialize).Message);

    private static void InitializeAndCompute(string[] args)
    {
        TorchRuntime.Initialize();
        PrintSum();
    }

    private static void PrintSum()
    {
        using torch.Tensor sum = torch.ones(2, 3).sum();
        Console.WriteLine(sum.item<float>());
    }

    /// <summary>The program without the files of <c>runtimes/</c> and without the list that leads to them.</summary>
    private string CopyManagedFiles()
    {
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory).Where(file => !file.EndsWith(".deps.json", StringComparison.Ordinal)))
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        return Path.Combine(_folder, Path.GetFileName(ChildProcess.Program));
    }
}
