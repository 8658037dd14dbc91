namespace MLExtensions.Examples.Infrastructure;

/// <summary>
/// Data that an example needs and the repository does not have. It is where the option says or, where the option is not given, at a path
/// in the folder that the environment variable <c>MLEXTENSIONS_DATA</c> names.
/// </summary>
internal sealed class ExternalData
{
    private const string Variable = "MLEXTENSIONS_DATA";
    private readonly string _path;

    /// <param name="title">What it is called in messages.</param>
    /// <param name="optionName">The option that says where it is.</param>
    /// <param name="placeholder">What stands for the option's value: FILE or DIR.</param>
    /// <param name="description">What is in the file or folder, as a sentence.</param>
    /// <param name="path">Where it is in the folder that the variable names.</param>
    public ExternalData(string title, string optionName, string placeholder, string description, string path)
    {
        Title = title;
        _path = path;
        Option = new ExampleOption(optionName, placeholder, description, DefaultText: $"${Variable}/{path}");
    }

    public string Title { get; }

    public ExampleOption Option { get; }

    /// <summary>For <see cref="ExampleHelp.Data"/>.</summary>
    public override string ToString() => $"{Title} (not in the repository): {Option.Usage}, or {_path} in the folder that the environment variable {Variable} names";

    /// <exception cref="UsageException">It is not there.</exception>
    public string Find(ExampleArguments arguments)
    {
        var given = arguments.OptionalText(Option);
        var folder = Environment.GetEnvironmentVariable(Variable);
        if (given == null && string.IsNullOrEmpty(folder))
            throw new UsageException($"Missing data: {Title}. Add {Option.Usage}, or set {Variable} to a folder that has {_path}.");
        var path = given ?? Path.Combine(folder!, _path);
        if (!Path.Exists(path))
            throw new UsageException($"Missing data: {Title}. '{path}' does not exist.");
        return path;
    }
}
