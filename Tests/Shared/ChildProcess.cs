using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace MLExtensions.Tests;

/// <summary>Runs a static method of a test project in a fresh process: the test program itself, started again.</summary>
/// <example><c>ChildProcess.Run(Load, path).AssertSuccess();</c> where <c>Load</c> is a <c>static void Load(string[] args)</c>.</example>
internal static class ChildProcess
{
    /// <summary>The first argument that makes the test program run a method rather than the tests.</summary>
    internal const string Command = "child";

    private const int FailureCode = 70;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Runs <paramref name="method"/> to its end.</summary>
    /// <remarks>Torch is not loaded there yet: <c>TestAssembly.InitializeTorch</c> does it, with one thread.</remarks>
    /// <param name="method">A static method, not a lambda. What it throws goes to the standard error, and the exit code is not 0.</param>
    /// <param name="args">What it is given.</param>
    internal static ChildResult Run(Action<string[]> method, params string[] args) => Run(method, args, environment: null);

    /// <inheritdoc cref="Run(Action{string[]}, string[])"/>
    /// <param name="environment">Variables for the child; null as a value removes one.</param>
    /// <param name="program">The program to start, when it is not this one but a copy of it in another folder.</param>
    internal static ChildResult Run(
        Action<string[]> method, string[] args, IReadOnlyDictionary<string, string?>? environment, string? program = null)
    {
        using Process process = Start(method, args, environment, program);
        return WaitFor(process);
    }

    /// <summary>Starts <paramref name="method"/> and returns at once, for tests that talk to the child or kill it.</summary>
    /// <returns>The process, with standard output and error redirected; <see cref="WaitFor"/> reads them to the end.</returns>
    internal static Process Start(
        Action<string[]> method, string[] args, IReadOnlyDictionary<string, string?>? environment = null, string? program = null)
    {
        var start = CommandLine(method, args);
        start.FileName = program ?? start.FileName;
        foreach ((var name, var value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>The command line of <paramref name="method"/>, for tests that start it in another way.</summary>
    internal static ProcessStartInfo CommandLine(Action<string[]> method, params string[] args)
    {
        MethodInfo target = method.Method;
        if (!target.IsStatic)
            throw new ArgumentException($"'{target.Name}' must be a static method, named in full rather than written as a lambda.", nameof(method));

        var start = new ProcessStartInfo(Program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_ROOT"] = DotnetRoot;
        start.ArgumentList.Add(Command);
        start.ArgumentList.Add(target.DeclaringType!.AssemblyQualifiedName!);
        start.ArgumentList.Add(target.Name);
        foreach (var argument in args)
            start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>Reads all that the child writes, and waits for its end; kills it when it takes longer than two minutes.</summary>
    internal static ChildResult WaitFor(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The child process took longer than {Patience}.\n{output.Result}{error.Result}");
        }
        return new ChildResult(process.ExitCode, output.Result, error.Result);
    }

    /// <summary>What the child does: calls the method <c>args[1]</c> of the type <c>args[0]</c> with the rest.</summary>
    internal static int Dispatch(string[] args)
    {
        try
        {
            Type type = Type.GetType(args[0], throwOnError: true)!;
            MethodInfo method = type.GetMethod(args[1], BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic, [typeof(string[])])!;
            method.CreateDelegate<Action<string[]>>()(args[2..]);
            return Environment.ExitCode;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            return FailureCode;
        }
    }

    /// <summary>The test program.</summary>
    internal static string Program
        => Path.Combine(AppContext.BaseDirectory, Assembly.GetEntryAssembly()!.GetName().Name + (OperatingSystem.IsWindows() ? ".exe" : ""));

    /// <summary>Three folders above the runtime's own, <c>shared/Microsoft.NETCore.App/VERSION/</c>.</summary>
    private static string DotnetRoot => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
}
