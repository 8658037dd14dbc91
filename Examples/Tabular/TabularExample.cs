using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;
using Spectre.Console;

namespace MLExtensions.Examples.Tabular;

/// <summary>Small tables, the home of decision trees: networks beside ML.NET's own trainers, on the same folds.</summary>
internal sealed class TabularExample : IExample
{
    private static readonly ExampleOption Seeds = new("seeds", "N", "cross-validate N times, on the folds of seeds 1 to N (default 1)", "1");

    public string Name => "tabular";

    public string Summary => "breast cancer and diabetes (shipped): cross-validated beside ML.NET's own trainers";

    public IReadOnlyList<ExampleOption> Options => [Seeds];

    public int Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seedCount = arguments.Integer(Seeds, least: 1);
        var areaUnderCurve = BreastCancer.Compare(seedCount, cancellationToken);
        var rSquared = Diabetes.Compare(seedCount, cancellationToken);
        return areaUnderCurve >= 0.99 && rSquared >= 0.45 ? 0 : 1;
    }
}
