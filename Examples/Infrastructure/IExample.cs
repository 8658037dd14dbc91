namespace MLExtensions.Examples.Infrastructure;

/// <summary>A command of this program.</summary>
internal interface IExample
{
    /// <summary>The command, and the folder of its files in <c>out/</c>.</summary>
    string Name { get; }

    /// <summary>One line for the list of examples.</summary>
    string Summary { get; }

    IReadOnlyList<ExampleOption> Options { get; }

    /// <summary>The words that it takes besides, or null.</summary>
    ExampleWords? Words => null;

    /// <summary>Returns the program's exit code: 0 when the example did what it promises.</summary>
    int Run(ExampleArguments arguments, CancellationToken cancellationToken);
}
