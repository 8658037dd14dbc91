using System.Diagnostics;

namespace MLExtensions.Tests;

[TestClass]
public sealed class ChildProcessTests
{
    [TestMethod]
    public void Run_PassesArgumentsAndOutput()
    {
        ChildResult result = ChildProcess.Run(Echo, "one", "two words", "").AssertSuccess();
        Assert.AreEqual("[one][two words][]", result.Output.Trim());
    }

    [TestMethod]
    public void Run_IsAnotherProcess()
    {
        ChildResult result = ChildProcess.Run(PrintProcessId).AssertSuccess();
        Assert.AreNotEqual(Environment.ProcessId, int.Parse(result.Output));
    }

    [TestMethod]
    public void Run_MethodThrows_ExitCodeAndText()
    {
        ChildResult result = ChildProcess.Run(Throw, "the reason");
        Assert.AreEqual(70, result.ExitCode);
        Assert.Contains("the reason", result.Error);
    }

    [TestMethod]
    public void Run_PassesEnvironment()
    {
        var environment = new Dictionary<string, string?> { ["MLEXTENSIONS_TEST"] = "value" };
        Assert.AreEqual("value", ChildProcess.Run(PrintVariable, ["MLEXTENSIONS_TEST"], environment).AssertSuccess().Output.Trim());
    }

    [TestMethod]
    public void Start_CanBeKilled()
    {
        using Process process = ChildProcess.Start(Sleep, []);
        Assert.AreEqual("ready", process.StandardOutput.ReadLine());
        process.Kill(); // SIGKILL on Unix
        Assert.AreNotEqual(0, ChildProcess.WaitFor(process).ExitCode);
    }

    [TestMethod]
    public void Run_Lambda_IsRefused()
        => Assert.ThrowsExactly<ArgumentException>(() => ChildProcess.Run(args => Console.WriteLine(args.Length)));

    private static void Echo(string[] args) => Console.WriteLine(string.Concat(args.Select(argument => $"[{argument}]")));

    private static void PrintProcessId(string[] args) => Console.WriteLine(Environment.ProcessId);

    private static void PrintVariable(string[] args) => Console.WriteLine(Environment.GetEnvironmentVariable(args[0]));

    private static void Throw(string[] args) => throw new InvalidOperationException(args[0]);

    private static void Sleep(string[] args)
    {
        Console.WriteLine("ready");
        Thread.Sleep(Timeout.Infinite);
    }
}
